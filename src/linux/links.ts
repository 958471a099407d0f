import { checkDeviceName } from '../net/device-names.ts';
import { checkNamespaceName, type InNamespace, type IpCommand, ipBatch, ipQuery, isNotFound } from './ip.ts';

/** A network device as `ip -d link` shows it. */
export interface Link {
  readonly name: string;
  readonly index: number;
  /** Lower case, colons; empty for a device without one. */
  readonly mac: string;
  readonly mtu: number;
  /** Set up by an administrator (IFF_UP), with or without a carrier. */
  readonly up: boolean;
  /** Bridge (or bond) that it is plugged into. */
  readonly master?: string;
  /** `veth`, `bridge`, `vxlan`, `vlan`, `tun`, ...; absent for physical devices and lo. */
  readonly kind?: string;
  /** Index of the other end of a veth pair in its own namespace, or of the device below a VLAN. */
  readonly peerIndex?: number;
  /** Text that stays with the device (`ip link set dev X alias TEXT`). */
  readonly alias?: string;
}

interface LinkJson {
  ifindex: number;
  ifname: string;
  flags: string[];
  mtu: number;
  address?: string;
  master?: string;
  link_index?: number;
  ifalias?: string;
  linkinfo?: { info_kind?: string };
}

/** Reads the answer of `ip -j -d link show` or `ip -j -d addr show`. */
export function parseLinks(json: unknown): readonly Link[] {
  return (json as Partial<LinkJson>[]).flatMap((link) => {
    // With a filter, `ip -j` prints an empty object for each device that does not match.
    if (link.ifindex === undefined || link.ifname === undefined) return [];
    return [
      {
        name: link.ifname,
        index: link.ifindex,
        mac: (link.address ?? '').toLowerCase(),
        mtu: link.mtu ?? 0,
        up: link.flags?.includes('UP') ?? false,
        ...(link.master === undefined ? {} : { master: link.master }),
        ...(link.linkinfo?.info_kind === undefined ? {} : { kind: link.linkinfo.info_kind }),
        ...(link.link_index === undefined ? {} : { peerIndex: link.link_index }),
        ...(link.ifalias === undefined ? {} : { alias: link.ifalias }),
      },
    ];
  });
}

/** Returns the devices of a namespace: all, those of one kind (`veth`, `bridge`), or those plugged into one bridge. */
export async function listLinks(
  options: InNamespace & { readonly kind?: string; readonly master?: string } = {},
): Promise<readonly Link[]> {
  const { kind, master } = options;
  const [answer] = await ipQuery(
    [
      [
        'link',
        'show',
        ...(master === undefined ? [] : ['master', checkDeviceName(master)]),
        ...(kind === undefined ? [] : ['type', kind]),
      ],
    ],
    options,
  );
  return parseLinks(answer);
}

/** Returns the device of that name, or undefined. */
export async function showLink(name: string, where: InNamespace = {}): Promise<Link | undefined> {
  try {
    const [answer] = await ipQuery([['link', 'show', 'dev', checkDeviceName(name)]], where);
    return parseLinks(answer)[0];
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** One end of a veth pair. */
export interface VethEnd extends InNamespace {
  readonly name: string;
  readonly mac?: string;
}

/** Returns the command that creates a veth pair, to be run in the first end's namespace. Both ends are down. */
export function addVethCommand(end: VethEnd, peer: VethEnd, mtu?: number): IpCommand {
  const size = mtu === undefined ? [] : ['mtu', String(mtu)];
  return [
    ...['link', 'add', checkDeviceName(end.name), ...size, ...(end.mac === undefined ? [] : ['address', end.mac])],
    ...['type', 'veth', 'peer', 'name', checkDeviceName(peer.name), ...size],
    ...(peer.mac === undefined ? [] : ['address', peer.mac]),
    ...(peer.namespace === undefined ? [] : ['netns', checkNamespaceName(peer.namespace)]),
  ];
}

/** Deletes a device (of a veth pair: both ends). An absent device or namespace is not an error. */
export async function deleteLink(name: string, where: InNamespace = {}): Promise<void> {
  try {
    await ipBatch([['link', 'delete', 'dev', checkDeviceName(name)]], where);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
