import { followFile } from './follow.ts';

/** One message of a DHCP exchange, as the DHCP server logged it. */
interface ExchangeMessage {
  /** The clock in the log, `HH:MM:SS`. */
  readonly time: string;
  readonly kind: 'DISCOVER' | 'OFFER' | 'REQUEST' | 'ACK' | 'NAK' | 'DECLINE' | 'RELEASE' | 'INFORM';
  readonly device: string;
  readonly address: string | null;
  readonly mac: string;
  /** What the server adds: the host's name, or why it offers nothing. */
  readonly note: string | null;
}

/** Where the DHCP server logs its exchanges, and how to read it. */
export interface ExchangeLog {
  /** Returns the log of a network. */
  file(networkId: string): string;
  /** Returns the message that a line of the log holds, undefined when it holds none. */
  parse(line: string): ExchangeMessage | undefined;
}

/** A message of the exchange, with the NIC of the machine and the milliseconds since it was started. */
export interface SeenMessage extends ExchangeMessage {
  readonly nic: string;
  readonly ms: number;
}

export interface WatchedNic {
  readonly name: string;
  readonly mac: string;
  readonly networkId: string;
}

/** A watch over the exchanges of a machine that is about to start. */
export interface ExchangeWatch {
  /** Reads what has been logged so far, ends the watch and returns all messages seen. */
  stop(): Promise<readonly SeenMessage[]>;
}

/**
 * Watches what the DHCP server logs about these NICs from now on, each network in its own log; each message goes to `watch` as it
 * appears. Messages of other machines, and those of the same MAC on another network, are left out.
 */
export async function watchExchange(
  nics: readonly WatchedNic[],
  log: ExchangeLog,
  watch: (message: SeenMessage) => void,
): Promise<ExchangeWatch> {
  const names = new Map(nics.map(({ networkId, mac, name }) => [`${networkId} ${mac}`, name]));
  const seen: SeenMessage[] = [];
  const started = performance.now();
  const followed = await Promise.all(
    [...new Set(nics.map(({ networkId }) => networkId))].map((networkId) =>
      followFile(log.file(networkId), (line) => {
        const message = log.parse(line);
        const nic = message && names.get(`${networkId} ${message.mac}`);
        if (!message || nic === undefined) return;
        const met = { ...message, nic, ms: Math.round(performance.now() - started) };
        seen.push(met);
        watch(met);
      }),
    ),
  );
  return {
    stop: async () => {
      await Promise.all(followed.map((one) => one.stop()));
      return seen;
    },
  };
}
