import type { ExchangeMessage } from '../kind.ts';

const LINE =
  /(\d\d:\d\d:\d\d) dnsmasq-dhcp\[\d+\]: (?:\d+ )?DHCP(DISCOVER|OFFER|REQUEST|ACK|NAK|DECLINE|RELEASE|INFORM)\(([^)]*)\) (?:(\d+(?:\.\d+){3}) )?([0-9a-f]{2}(?::[0-9a-f]{2}){5})(?: (.*))?$/;

/** Returns the message in a line of dnsmasq's log (log_packet in its rfc2131.c); undefined if there is none. */
export function parseExchangeLine(line: string): ExchangeMessage | undefined {
  const [, time, kind, device, address, mac, note] = LINE.exec(line.trimEnd()) ?? [];
  if (time === undefined || kind === undefined || device === undefined || mac === undefined) return undefined;
  return {
    time,
    kind: kind as ExchangeMessage['kind'],
    device,
    address: address ?? null,
    mac,
    note: note?.trim() || null,
  };
}
