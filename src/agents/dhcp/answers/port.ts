import { DHCP_OWNER, DISTRIBUTED_OWNER, FLOATING_IP_OWNER, HA_INTERFACE_OWNER } from '../../../net/device-owners.ts';
import type { ExtraDhcpOpt } from '../../../rpc/documents.ts';
import { checkedIp, checkedMac } from './checks.ts';
import type { PortInput } from './inputs.ts';
import type { NetworkAnswers, SubnetAnswers } from './network.ts';
import { type Refusal, Refusals, Refused } from './refusals.ts';

export interface Names {
  readonly hostname: string;
  /** With the trailing dot where the server assigned it. */
  readonly fqdn: string;
}

/** One address of a port, with the names by which DNS answers for it. */
export interface PortAddress {
  readonly address: string;
  readonly names: Names;
  readonly subnet: SubnetAnswers | undefined;
  /** `lease`: DHCP assigns the address; `options`: DHCPv6 only sends options; `name`: only DNS resolves it. */
  readonly gets: 'lease' | 'options' | 'name';
}

/** What one port gets. */
export interface PortAnswers {
  readonly portId: string;
  /** Lower case; undefined: the port does not use DHCP, or cannot be served. */
  readonly mac: string | undefined;
  /** The port's status, such as ACTIVE. */
  readonly status: string;
  /** The client id that identifies the host in addition to its MAC address. */
  readonly clientId: string | undefined;
  readonly addresses: readonly PortAddress[];
  /** Whether it has its own options (of either family) besides a client id. */
  readonly hasOptions: boolean;
  /** Its own options of the families of its addresses; an empty value: the option is not sent, not even the server's own. */
  readonly options: readonly ExtraDhcpOpt[];
  readonly refused: readonly Refusal[];
}

/** Device owners of ports that do not use DHCP. */
const UNSERVED_OWNERS: ReadonlySet<string> = new Set([
  DHCP_OWNER,
  DISTRIBUTED_OWNER,
  FLOATING_IP_OWNER,
  HA_INTERFACE_OWNER,
]);

const isClientId = ({ opt_name }: ExtraDhcpOpt): boolean => opt_name === 'client-id' || opt_name === '61';
const versionOf = (address: string): 4 | 6 => (address.includes(':') ? 6 : 4);

/** Returns the names of an address that the server assigned none. */
export function generatedNames(address: string, domain: string): Names {
  const hostname = `host-${address.replaceAll(/[.:]/g, '-')}`;
  return { hostname, fqdn: domain === '' ? hostname : `${hostname}.${domain}` };
}

/** Decides what a port gets on a network. */
export function portAnswers(port: PortInput, network: NetworkAnswers): PortAnswers {
  const { id: portId, status, extra_dhcp_opts: own } = port;
  const opts = own ?? [];
  const refusals = new Refusals();
  const owner = `port ${portId}`;
  const isServed = !UNSERVED_OWNERS.has(port.device_owner);
  const mac = isServed ? refusals.keep(owner, () => checkedMac(port.mac_address), undefined) : undefined;
  const versions = new Set(port.fixed_ips.map(({ ip_address }) => versionOf(ip_address)));
  const options = opts.filter((opt) => !isClientId(opt) && versions.has(opt.ip_version));
  if (mac === undefined) {
    const nothing = { clientId: undefined, addresses: [], hasOptions: false, options: isServed ? [] : options };
    return { portId, mac, status, ...nothing, refused: refusals.list };
  }
  // An empty one is none.
  const clientId = opts.find(isClientId)?.opt_value || undefined;
  const addresses = port.fixed_ips.flatMap(({ ip_address, subnet_id }): PortAddress[] => {
    const address = refusals.keep(owner, () => checkedIp(ip_address), undefined);
    if (address === undefined) return [];
    const subnet = network.subnets.findLast((one) => one.id === subnet_id);
    const assigned = port.dns_assignment?.find((one) => one.ip_address === ip_address);
    const names = assigned ?? generatedNames(address, network.domain);
    const gets = refusals.keep(owner, () => getsOf(address, subnet, opts.length > 0), 'name');
    return [{ address, names, subnet, gets }];
  });
  return {
    portId,
    mac,
    status,
    clientId,
    addresses,
    hasOptions: opts.length > (clientId === undefined ? 0 : 1),
    options,
    refused: refusals.list,
  };
}

/** Throws Refused for an address of the other family than its subnet. */
function getsOf(address: string, subnet: SubnetAnswers | undefined, hasOpts: boolean): PortAddress['gets'] {
  if (!subnet) return 'name';
  if (subnet.version !== versionOf(address)) {
    throw new Refused('address', address, `one of its subnet ${subnet.document.cidr}`);
  }
  if (subnet.addressing === 'dhcp') return subnet.enableDhcp ? 'lease' : 'name';
  return subnet.addressing === 'stateless' && hasOpts ? 'options' : 'name';
}
