import { checkDeviceName } from '../net/device-names.ts';
import {
  checkNamespaceName,
  type InNamespace,
  type IpCommand,
  ipBatch,
  ipQuery,
  isAlreadyThere,
  isNotFound,
} from './ip.ts';

/** A network device as `ip -d link` tells it. */
export interface Link {
  readonly name: string;
  readonly index: number;
  /** Lower case, colons; empty for a device without one. */
  readonly mac: string;
  readonly mtu: number;
  /** Set up by an administrator (IFF_UP); says nothing of the carrier. */
  readonly up: boolean;
  /** Bridge (or bond) that it is plugged into. */
  readonly master?: string;
  /** `veth`, `bridge`, `vxlan`, `vlan`, `tun`, ...; absent for physical devices and lo. */
  readonly kind?: string;
  /** Index of the other end of a veth pair in its own namespace, or of the device below a VLAN. */
  readonly peerIndex?: number;
  /** Whether the other end is in another namespace. */
  readonly peerElsewhere: boolean;
  /** `ip link set dev X alias TEXT`: a note that stays with the device. */
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
  link_netnsid?: number;
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
        peerElsewhere: link.link_netnsid !== undefined,
        ...(link.master === undefined ? {} : { master: link.master }),
        ...(link.linkinfo?.info_kind === undefined ? {} : { kind: link.linkinfo.info_kind }),
        ...(link.link_index === undefined ? {} : { peerIndex: link.link_index }),
        ...(link.ifalias === undefined ? {} : { alias: link.ifalias }),
      },
    ];
  });
}

/** All devices of a namespace; only those of one kind (`veth`, `bridge`) or plugged into one bridge, if told. */
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

/** The device of that name, or undefined when there is none. */
export async function showLink(name: string, where: InNamespace = {}): Promise<Link | undefined> {
  try {
    const [answer] = await ipQuery([['link', 'show', 'dev', checkDeviceName(name)]], where);
    return parseLinks(answer)[0];
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

export async function linkExists(name: string, where: InNamespace = {}): Promise<boolean> {
  return (await showLink(name, where)) !== undefined;
}

/** One end of a veth pair. */
export interface VethEnd extends InNamespace {
  readonly name: string;
  readonly mac?: string;
}

/** The command that makes a veth pair; it is run in the first end's namespace. Both ends start down. */
export function addVethCommand(end: VethEnd, peer: VethEnd, mtu?: number): IpCommand {
  const size = mtu === undefined ? [] : ['mtu', String(mtu)];
  return [
    ...['link', 'add', checkDeviceName(end.name), ...size, ...(end.mac === undefined ? [] : ['address', end.mac])],
    ...['type', 'veth', 'peer', 'name', checkDeviceName(peer.name), ...size],
    ...(peer.mac === undefined ? [] : ['address', peer.mac]),
    ...(peer.namespace === undefined ? [] : ['netns', checkNamespaceName(peer.namespace)]),
  ];
}

/**
 * Makes a veth pair with each end in its namespace unless both ends are there and belong together; half of a pair, or two
 * strangers of these names, are deleted first. Sets MTU and MACs. Leaves up and down as they are. The namespaces MUST exist;
 * a second end without a namespace is in that of the first. Resolves to whether it was made now.
 */
export async function ensureVeth(
  end: VethEnd,
  peer: VethEnd,
  options: { readonly mtu?: number } = {},
): Promise<boolean> {
  const peerWhere = peer.namespace === undefined ? end : peer;
  const [one, two] = await Promise.all([showLink(end.name, end), showLink(peer.name, peerWhere)]);
  const paired =
    one?.kind === 'veth' && two?.kind === 'veth' && one.peerIndex === two.index && two.peerIndex === one.index;
  if (!paired || !one || !two) {
    if (one) await deleteLink(end.name, end);
    if (two) await deleteLink(peer.name, peerWhere);
    await ipBatch([addVethCommand(end, peer, options.mtu)], end);
    return true;
  }
  await ipBatch(adjust(one, end, options.mtu), end);
  await ipBatch(adjust(two, peer, options.mtu), peerWhere);
  return false;
}

function adjust(link: Link, end: VethEnd, mtu: number | undefined): readonly IpCommand[] {
  return [
    ...(mtu === undefined || link.mtu === mtu ? [] : [['link', 'set', 'dev', end.name, 'mtu', String(mtu)]]),
    ...(end.mac === undefined || link.mac === end.mac.toLowerCase()
      ? []
      : [['link', 'set', 'dev', end.name, 'address', end.mac]]),
  ];
}

/**
 * Makes a bridge unless it is there, without forwarding delay (a guest would wait 15 s for its first DHCP answer) and with
 * multicast snooping as the kernel has it; up afterwards. Throws when a device of that name is no bridge.
 */
export async function ensureBridge(
  name: string,
  options: InNamespace & { readonly mtu?: number; readonly mac?: string } = {},
): Promise<boolean> {
  const { mtu, mac } = options;
  const attributes = [
    ...(mtu === undefined ? [] : ['mtu', String(mtu)]),
    ...(mac === undefined ? [] : ['address', mac]),
  ];
  try {
    await ipBatch(
      [
        ['link', 'add', checkDeviceName(name), ...attributes, 'type', 'bridge', 'forward_delay', '0', 'stp_state', '0'],
        ['link', 'set', 'dev', name, 'up'],
      ],
      options,
    );
    return true;
  } catch (error) {
    if (!isAlreadyThere(error)) throw error;
  }
  const link = await showLink(name, options);
  if (link && link.kind !== 'bridge')
    throw new Error(`device ${name} is ${link.kind ?? 'a physical device'}, not a bridge`);
  if (link)
    await ipBatch(
      [...adjust(link, { name, ...(mac === undefined ? {} : { mac }) }, mtu), ['link', 'set', 'dev', name, 'up']],
      options,
    );
  return false;
}

/** Plugs a device into a bridge, or unplugs it with `null`. Right already is no error. */
export function setMaster(name: string, master: string | null, where: InNamespace = {}): Promise<void> {
  const words = master === null ? ['nomaster'] : ['master', checkDeviceName(master)];
  return ipBatch([['link', 'set', 'dev', checkDeviceName(name), ...words]], where);
}

export function setUp(name: string, where: InNamespace = {}): Promise<void> {
  return ipBatch([['link', 'set', 'dev', checkDeviceName(name), 'up']], where);
}

export function setDown(name: string, where: InNamespace = {}): Promise<void> {
  return ipBatch([['link', 'set', 'dev', checkDeviceName(name), 'down']], where);
}

export function setMtu(name: string, mtu: number, where: InNamespace = {}): Promise<void> {
  return ipBatch([['link', 'set', 'dev', checkDeviceName(name), 'mtu', String(mtu)]], where);
}

export function setMac(name: string, mac: string, where: InNamespace = {}): Promise<void> {
  return ipBatch([['link', 'set', 'dev', checkDeviceName(name), 'address', mac]], where);
}

/** Deletes a device (of a veth pair: both ends). Not there, or its namespace not there, is no error. */
export async function deleteLink(name: string, where: InNamespace = {}): Promise<void> {
  try {
    await ipBatch([['link', 'delete', 'dev', checkDeviceName(name)]], where);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
