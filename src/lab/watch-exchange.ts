import { followFile } from './follow.ts';

/** One message of a DHCP exchange, as logged by the DHCP server. */
interface ExchangeMessage {
  /** Its time in the log, `HH:MM:SS`. */
  readonly time: string;
  readonly kind: 'DISCOVER' | 'OFFER' | 'REQUEST' | 'ACK' | 'NAK' | 'DECLINE' | 'RELEASE' | 'INFORM';
  readonly device: string;
  readonly address: string | null;
  readonly mac: string;
  /** Additional text of the server: the host's name, or why it offers nothing. */
  readonly note: string | null;
}

/** The location and format of the DHCP server's log. */
export interface ExchangeLog {
  /** Returns the path of a network's log. */
  file(networkId: string): string;
  /** Parses a log line; returns undefined if it contains no message. */
  parse(line: string): ExchangeMessage | undefined;
}

/** A message of the exchange, with the machine's NIC and the milliseconds since its start. */
export interface SeenMessage extends ExchangeMessage {
  readonly nic: string;
  readonly ms: number;
}

export interface WatchedNic {
  readonly name: string;
  readonly mac: string;
  readonly networkId: string;
}

/** A watch on the exchanges of a machine that is about to start. */
export interface ExchangeWatch {
  /** Reads what has been logged so far, ends the watch and returns all messages seen. */
  stop(): Promise<readonly SeenMessage[]>;
}

/**
 * Watches the DHCP server's log of each network for these NICs, from now on; `watch` receives each message at once. Ignores other
 * machines, and the same MAC address on another network.
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
