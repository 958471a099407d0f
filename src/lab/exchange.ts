/** One message of a DHCP exchange, as dnsmasq logged it. */
export interface ExchangeMessage {
  /** The clock in the log, `HH:MM:SS`. */
  readonly time: string;
  readonly kind: 'DISCOVER' | 'OFFER' | 'REQUEST' | 'ACK' | 'NAK' | 'DECLINE' | 'RELEASE' | 'INFORM';
  readonly device: string;
  readonly address: string | null;
  readonly mac: string;
  /** What dnsmasq adds: the host's name, or why it gives nothing. */
  readonly note: string | null;
}

const LINE =
  /(\d\d:\d\d:\d\d) dnsmasq-dhcp\[\d+\]: (?:\d+ )?DHCP(DISCOVER|OFFER|REQUEST|ACK|NAK|DECLINE|RELEASE|INFORM)\(([^)]*)\) (?:(\d+(?:\.\d+){3}) )?([0-9a-f]{2}(?::[0-9a-f]{2}){5})(?: (.*))?$/;

/** The message that a line of dnsmasq's log tells of (rfc2131.c, log_packet), or undefined. */
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
