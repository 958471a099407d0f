import { METADATA_IPV4 } from '../../answers/metadata.ts';
import type { WantedProxy } from '../contract.ts';

/**
 * Headers that concern one connection only (RFC 9110, 7.6.1); Node frames the other connection itself. Those that `Connection`
 * names are passed on, as haproxy does, because a client could name Content-Length.
 */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
/** What only the proxy says to the metadata agent, because a machine could pretend to be another one; the proxy answers Expect. */
const OWN: ReadonlySet<string> = new Set([
  'x-neutron-network-id',
  'x-neutron-router-id',
  'x-forwarded-for',
  'expect',
  ...HOP_BY_HOP,
]);

/** Removes headers from a list of names and values in turn. */
const without = (raw: readonly string[], removed: ReadonlySet<string>): string[] =>
  raw.filter((_, i) => !removed.has((raw[i - (i % 2)] ?? '').toLowerCase()));

/** Returns the headers of an answer as they are passed to the machine. */
export const answerHeaders = (raw: readonly string[]): string[] => without(raw, HOP_BY_HOP);

/** Returns the headers of a machine's request as they are passed to the metadata agent. */
export function requestHeaders(
  raw: readonly string[],
  { networkId, routerId }: Pick<WantedProxy, 'networkId' | 'routerId'>,
  facts: { readonly peer: string; readonly chunked: boolean },
): string[] {
  const hasHost = raw.some((name, i) => i % 2 === 0 && name.toLowerCase() === 'host');
  return [
    ...without(raw, OWN),
    // HTTP/1.0 needs none, but the request is passed on in HTTP/1.1.
    ...(hasHost ? [] : ['Host', METADATA_IPV4]),
    ...(facts.chunked ? ['Transfer-Encoding', 'chunked'] : []),
    ...['X-Forwarded-For', facts.peer, 'Connection', 'close'],
    ...(routerId === undefined ? ['X-Neutron-Network-ID', networkId] : ['X-Neutron-Router-ID', routerId]),
  ];
}
