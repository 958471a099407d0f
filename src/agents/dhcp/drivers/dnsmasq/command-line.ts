import { join } from 'node:path';
import type { Config } from '../../../../config/options.ts';
import type { NetworkInfo } from '../../../../rpc/documents.ts';
import { glue, id, line, name, whole, word } from './fields.ts';
import type { Refusals } from './refusals.ts';
import type { Subnet } from './subnets.ts';

/** Where the files of one network's dnsmasq are. */
export interface Files {
  readonly folder: string;
  readonly host: string;
  readonly addnHosts: string;
  readonly opts: string;
  readonly leases: string;
  readonly pid: string;
  readonly interface: string;
  /** What dnsmasq logs; `log.1` beside it is what it logged before that. */
  readonly log: string;
  /** What the running dnsmasq has read; see loaded.ts. */
  readonly loaded: string;
}

/** Throws Refused for an id that cannot be the name of a folder. */
export function filesOf(networkId: string, options: Config['DEFAULT']): Files {
  const folder = join(options.dhcp_confs, id(networkId));
  return {
    folder,
    host: join(folder, 'host'),
    addnHosts: join(folder, 'addn_hosts'),
    opts: join(folder, 'opts'),
    leases: join(folder, 'leases'),
    pid: join(folder, 'pid'),
    interface: join(folder, 'interface'),
    // Neutron's place for it, when the operator names a folder.
    log: options.dnsmasq_base_log_dir
      ? join(options.dnsmasq_base_log_dir, networkId, 'dhcp_dns_log')
      : join(folder, 'log'),
    loaded: join(folder, 'loaded'),
  };
}

/** dnsmasq gives no DHCPv6 addresses of a network shorter than /64. */
const SHORTEST_IPV6_PREFIX = 64;

/** Subnets that dnsmasq gets a range of. */
function rangedSubnets(subnets: readonly Subnet[]): readonly Subnet[] {
  return subnets.filter(({ version, enableDhcp, prefix, document, addressing }) => {
    if (!enableDhcp) return false;
    if (version === 4) return true;
    // Router advertisements by somebody else, and no word of DHCPv6: nothing for dnsmasq to do.
    const mute = addressing === 'slaac' || (!document.ipv6_address_mode && document.ipv6_ra_mode);
    return !mute && prefix >= SHORTEST_IPV6_PREFIX;
  });
}

/** The arguments of one network's dnsmasq, the program first (dnsmasq(8)). */
export function renderCommandLine(
  info: NetworkInfo,
  subnets: readonly Subnet[],
  options: Config['DEFAULT'],
  refusals: Refusals,
): readonly string[] {
  const files = filesOf(info.id, options);
  const ranged = rangedSubnets(subnets);
  const lease =
    options.dhcp_lease_duration < 0 ? word('infinite') : glue(whole(options.dhcp_lease_duration), word('s'));
  const possible = ranged.reduce((sum, { version, prefix }) => sum + 2 ** ((version === 4 ? 32 : 128) - prefix), 0);
  const domain = options.dns_domain === '' ? '' : domainOf(options, refusals);
  return [
    'dnsmasq',
    '--no-hosts',
    ...(options.dnsmasq_dns_servers.length > 0 || !options.dnsmasq_local_resolv ? ['--no-resolv'] : []),
    `--pid-file=${files.pid}`,
    `--dhcp-hostsfile=${files.host}`,
    `--addn-hosts=${files.addnHosts}`,
    `--dhcp-optsfile=${files.opts}`,
    `--dhcp-leasefile=${files.leases}`,
    '--dhcp-match=set:ipxe,175',
    '--dhcp-userclass=set:ipxe6,iPXE',
    '--local-service',
    '--bind-dynamic',
    ...ranged.map(
      ({ tag, network, mask }) =>
        `--dhcp-range=${line(',', [glue(word('set:'), tag), network, word('static'), mask, lease])}`,
    ),
    ...(info.mtu > 0 ? [`--dhcp-option-force=option:mtu,${whole(info.mtu)}`] : []),
    `--dhcp-lease-max=${Math.min(possible, options.dnsmasq_lease_max)}`,
    ...(options.dhcp_renewal_time > 0 ? [`--dhcp-option-force=option:T1,${options.dhcp_renewal_time}s`] : []),
    ...(options.dhcp_rebinding_time > 0 ? [`--dhcp-option-force=option:T2,${options.dhcp_rebinding_time}s`] : []),
    `--conf-file=${options.dnsmasq_config_file.trim() || '/dev/null'}`,
    ...options.dnsmasq_dns_servers.map((server) => `--server=${server}`),
    ...(domain === '' ? [] : [`--domain=${domain}`]),
    ...(options.dhcp_broadcast_reply ? ['--dhcp-broadcast'] : []),
    ...(options.dnsmasq_base_log_dir ? ['--log-queries', '--log-dhcp'] : []),
    `--log-facility=${files.log}`,
  ];
}

/** The domain behind host names; empty when it cannot be one. */
export function domainOf(options: Config['DEFAULT'], refusals: Refusals): string {
  return refusals.keep('option dns_domain', () => name(options.dns_domain, 'dns_domain'), '');
}
