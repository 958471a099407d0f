import { eui64Mac, formatIp, isLinkLocal, parseIp, unmapped } from '../../net/addresses.ts';
import { UUID } from '../../net/patterns.ts';

/** Who asks for metadata, according to the proxy in the namespace: an address on a network, or on one of a router's networks. */
export interface Asker {
  readonly network?: string;
  readonly router?: string;
  readonly address: string;
  /** MAC address of a link-local address, which no port has as a fixed IP. */
  readonly mac?: string;
}

type Headers = Readonly<Record<string, readonly string[] | undefined>>;

/** Returns the only value of a header, if it is a UUID. */
function idOf(values: readonly string[] | undefined): string | undefined {
  const [value = '', ...more] = values ?? [];
  return more.length === 0 && UUID.test(value) ? value : undefined;
}

/**
 * Returns who asks; undefined unless the headers name exactly one network or router and an address. They are only trustworthy
 * because the proxy alone reaches the socket: it removes a client's own X-Neutron-Network-ID and X-Neutron-Router-ID, and
 * appends the address of its peer to X-Forwarded-For (haproxy's `option forwardfor`). So only the last address counts; any
 * before it are the client's own.
 */
export function askerOf(headers: Headers): Asker | undefined {
  const { 'x-neutron-network-id': networks, 'x-neutron-router-id': routers, 'x-forwarded-for': forwarded } = headers;
  if ((networks === undefined) === (routers === undefined)) return undefined;
  const network = idOf(networks);
  const router = idOf(routers);
  // haproxy that listens on both families writes IPv4 clients as IPv4-mapped addresses.
  const peer = parseIp(forwarded?.at(-1)?.split(',').at(-1)?.trim() ?? '');
  if (!peer || (network === undefined && router === undefined)) return undefined;
  const { version, value } = unmapped(peer);
  const scope = network === undefined ? { router } : { network };
  const asker = { ...scope, address: formatIp(version, value) } as Asker;
  if (!isLinkLocal({ version, value })) return asker;
  const mac = eui64Mac(value);
  return mac === undefined ? undefined : { ...asker, mac };
}
