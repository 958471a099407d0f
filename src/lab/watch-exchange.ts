import { type ExchangeMessage, parseExchangeLine } from './exchange.ts';
import { followFile } from './follow.ts';

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
  /** Reads what dnsmasq has logged so far, ends the watch and gives all that was seen. */
  stop(): Promise<readonly SeenMessage[]>;
}

/**
 * Watches what dnsmasq logs of these NICs from now on, each network in its own log; each message goes to `watch` as it
 * appears. Another machine's messages, and another network's of the same MAC, are not told.
 */
export async function watchExchange(
  nics: readonly WatchedNic[],
  dhcpLog: (networkId: string) => string,
  watch: (message: SeenMessage) => void,
): Promise<ExchangeWatch> {
  const names = new Map(nics.map(({ networkId, mac, name }) => [`${networkId} ${mac}`, name]));
  const seen: SeenMessage[] = [];
  const started = performance.now();
  const logs = await Promise.all(
    [...new Set(nics.map(({ networkId }) => networkId))].map((networkId) =>
      followFile(dhcpLog(networkId), (line) => {
        const message = parseExchangeLine(line);
        const nic = message && names.get(`${networkId} ${message.mac}`);
        if (!message || nic === undefined) return;
        const told = { ...message, nic, ms: Math.round(performance.now() - started) };
        seen.push(told);
        watch(told);
      }),
    ),
  );
  return {
    stop: async () => {
      await Promise.all(logs.map((log) => log.stop()));
      return seen;
    },
  };
}
