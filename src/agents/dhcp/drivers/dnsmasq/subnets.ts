import type { NetworkInfo, SubnetDocument } from '../../../../rpc/documents.ts';
import { type Field, glue, id, ipv4, ipv4Cidr, ipv6, whole, word } from './fields.ts';
import type { Refusals } from './refusals.ts';

/** How the hosts of a subnet come to their addresses. */
type Addressing =
  /** dnsmasq gives the address: DHCPv4, DHCPv6. */
  | 'dhcp'
  /** The host makes its address itself and asks DHCPv6 for the rest (RFC 3736). */
  | 'stateless'
  /** The host makes its address itself and asks nobody (RFC 4862). */
  | 'slaac';

/** A subnet with all checked that goes into lines. */
export interface Subnet {
  readonly document: SubnetDocument;
  readonly id: string;
  readonly version: 4 | 6;
  /** Network address, and netmask (IPv4) or prefix length (IPv6) as `--dhcp-range` takes them. */
  readonly network: Field;
  readonly mask: Field;
  readonly prefix: number;
  readonly tag: Field;
  readonly enableDhcp: boolean;
  readonly addressing: Addressing;
}

const LENGTHS = { 4: 32, 6: 128 } as const;

function dotted(bits: number): string {
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join('.');
}

/** Netmask of a prefix length, dotted. */
function netmask(prefix: number): string {
  return dotted(prefix === 0 ? 0 : (0xffffffff << (32 - prefix)) >>> 0);
}

/** Masks the host's bits away, should a server have left some. */
function networkAddress(address: string, prefix: number): string {
  const bits = address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0);
  return dotted(prefix === 0 ? 0 : (bits & ((0xffffffff << (32 - prefix)) >>> 0)) >>> 0);
}

function readSubnet(document: SubnetDocument): Subnet {
  const { cidr, ip_version: version } = document;
  const [text = '', length = ''] = cidr.split('/');
  if (version === 4) ipv4Cidr(cidr);
  const prefix = Number(length);
  const prefixField = whole(prefix <= LENGTHS[version] && length !== '' ? prefix : Number.NaN);
  return {
    document,
    id: document.id,
    version,
    network: version === 4 ? ipv4(networkAddress(text, prefix)) : ipv6(text),
    mask: version === 4 ? ipv4(netmask(prefix)) : prefixField,
    prefix,
    tag: glue(word('subnet-'), id(document.id)),
    enableDhcp: document.enable_dhcp,
    addressing:
      version === 6 && document.ipv6_address_mode === 'slaac'
        ? 'slaac'
        : version === 6 && document.ipv6_address_mode === 'dhcpv6-stateless'
          ? 'stateless'
          : 'dhcp',
  };
}

/** The subnets of a network, those of other segments (which servers before release Ussuri do not tell) behind its own. */
export function allSubnets(info: NetworkInfo): readonly SubnetDocument[] {
  return [...info.subnets, ...(info.non_local_subnets ?? [])];
}

/** The subnets with all checked that goes into lines. One that cannot be told to dnsmasq is left out. */
export function readSubnets(info: NetworkInfo, refusals: Refusals): readonly Subnet[] {
  return allSubnets(info).flatMap((document) =>
    refusals.keep(`subnet ${document.id}`, () => [readSubnet(document)], []),
  );
}
