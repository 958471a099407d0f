import {
  addressBits,
  type Cidr,
  cidrContains,
  eui64Address,
  formatCidr,
  formatIp,
  parseCidr,
} from '../../../../net/addresses.ts';
import { MAC } from '../../../../net/patterns.ts';
import type { FilteredPort } from '../../groups.ts';
import { bare, combinationChain } from './names.ts';
import { markOf, type SetName } from './skeleton.ts';

const DEVICE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$/;

/** A port that cannot be filtered as requested; the message says why. */
export class InvalidPort extends Error {}

interface Pair {
  readonly mac: string;
  readonly cidr: Cidr;
}

const isPrefix = ({ version, prefixLength }: Cidr): boolean => prefixLength < addressBits(version);
/** Returns an address or prefix as nft prints it. */
const textOf = (cidr: Cidr): string => (isPrefix(cidr) ? formatCidr(cidr) : formatIp(cidr.version, cidr.first));

const LINK_LOCAL = 0xfe80n << 112n;

/** Returns the link-local address that a machine makes of its MAC address (EUI-64). */
const linkLocal = (mac: string): string => formatIp(6, eui64Address(LINK_LOCAL, mac));

function checkedMac(mac: string): string {
  if (!MAC.test(mac)) throw new InvalidPort(`MAC address '${mac}' is not one such as fa:16:3e:00:00:01`);
  return mac.toLowerCase();
}

/** Returns an address or prefix. Throws InvalidPort. */
export function checkedPrefix(text: string): Cidr {
  const cidr = parseCidr(text.includes('/') ? text : `${text}/${text.includes(':') ? 128 : 32}`);
  if (!cidr) throw new InvalidPort(`'${text}' is neither an address nor a prefix`);
  return cidr;
}

/** Returns prefixes without those that others contain: elements of a set must not overlap. */
export const outermost = (cidrs: readonly Cidr[]): readonly Cidr[] => {
  const longerLast = [...cidrs].sort((a, b) => a.prefixLength - b.prefixLength);
  const kept: Cidr[] = [];
  for (const one of longerLast)
    if (!kept.some((other) => other.version === one.version && cidrContains(other, { ...one, value: one.first })))
      kept.push(one);
  return kept;
};

function pairsOf({ mac_address, fixed_ips, allowed_address_pairs }: FilteredPort): readonly Pair[] {
  const byMac = new Map<string, Cidr[]>();
  const allow = (mac: string, address: string) => {
    const checked = checkedMac(mac);
    const known = byMac.get(checked) ?? [checkedPrefix(linkLocal(checked))];
    byMac.set(checked, [...known, checkedPrefix(address)]);
  };
  byMac.set(checkedMac(mac_address), [checkedPrefix(linkLocal(checkedMac(mac_address)))]);
  for (const ip of fixed_ips) allow(mac_address, ip);
  for (const pair of allowed_address_pairs) allow(pair.mac_address, pair.ip_address);
  return [...byMac].flatMap(([mac, cidrs]) => {
    const single = new Map(cidrs.filter((cidr) => !isPrefix(cidr)).map((cidr) => [textOf(cidr), cidr]));
    return [...single.values(), ...outermost(cidrs.filter(isPrefix))].map((cidr) => ({ mac, cidr }));
  });
}

/** The elements of a port, by set or map; those of maps with their value (`key : value`). */
export type PortElements = ReadonlyMap<SetName, readonly string[]>;

/** What its elements refer to. */
export interface PortPlace {
  /** Number of the port, 1 or more. */
  readonly number: number;
  readonly stateful: boolean;
}

/** Returns the elements of a filtered port. Throws InvalidPort. */
export function portElements(port: FilteredPort, { number, stateful }: PortPlace): PortElements {
  const { device, security_groups: groups = [] } = port;
  if (!DEVICE.test(device)) throw new InvalidPort(`'${device}' is not a name of a device`);
  const name = `"${device}"`;
  const pairs = pairsOf(port);
  const macs = [...new Set([checkedMac(port.mac_address), ...pairs.map(({ mac }) => mac)])];
  const of = (version: 4 | 6, prefixes: boolean) =>
    pairs
      .filter(({ cidr }) => cidr.version === version && isPrefix(cidr) === prefixes)
      .map(({ mac, cidr }) => `${name} . ${mac} . ${textOf(cidr)}`);
  const verdict = (direction: 'ingress' | 'egress') => `jump ${bare(combinationChain(groups, stateful, direction))}`;
  return new Map<SetName, readonly string[]>([
    ['bridge neutrino ports', [name]],
    ['bridge neutrino marks_from', [`${name} : ${markOf('from', number)}`]],
    ['bridge neutrino marks_to', [`${name} : ${markOf('to', number)}`]],
    ['bridge neutrino macs', macs.map((mac) => `${name} . ${mac}`)],
    ['bridge neutrino pairs4', of(4, false)],
    ['bridge neutrino prefixes4', of(4, true)],
    ['bridge neutrino pairs6', of(6, false)],
    ['bridge neutrino prefixes6', of(6, true)],
    ['bridge neutrino chaddrs', macs.map((mac) => `${name} . 0x${mac.replaceAll(':', '').replace(/^0+(?=.)/, '')}`)],
    [
      'bridge neutrino targets6',
      pairs
        .filter(({ cidr }) => cidr.version === 6 && !isPrefix(cidr))
        .map(({ mac, cidr }) => `${name} . ${mac} . 0x${cidr.first.toString(16)}`),
    ],
    ['inet neutrino from_ports', [`${markOf('fromSeen', number)} : ${verdict('egress')}`]],
    ['inet neutrino to_ports', [`${markOf('toSeen', number)} : ${verdict('ingress')}`]],
  ]);
}
