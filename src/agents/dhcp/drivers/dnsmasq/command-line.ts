import { join } from 'node:path';
import type { Config } from '../../../../config/options.ts';
import { addressBits } from '../../../../net/addresses.ts';
import type { NetworkAnswers, SubnetAnswers } from '../../answers/network.ts';
import type { Refusals } from '../../answers/refusals.ts';
import { netmask } from '../../answers/subnet.ts';
import { glue, id, ipv4, line, plainAddress, whole, word } from './fields.ts';
import { subnetTag } from './subnet-options.ts';

/** Paths of the files of one network's dnsmasq. */
export interface Files {
  readonly folder: string;
  readonly host: string;
  readonly addnHosts: string;
  readonly opts: string;
  readonly leases: string;
  readonly pid: string;
  readonly interface: string;
  /** Log of dnsmasq; `log.1` next to it is the previous log. */
  readonly log: string;
  /** Digest of what the running dnsmasq has read; see loaded.ts. */
  readonly loaded: string;
  /** Folder of lines that the running dnsmasq was given in addition; see additions.ts. */
  readonly added: string;
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
    // Neutron's path, if the operator sets a folder.
    log: options.dnsmasq_base_log_dir
      ? join(options.dnsmasq_base_log_dir, networkId, 'dhcp_dns_log')
      : join(folder, 'log'),
    loaded: join(folder, 'loaded'),
    added: join(folder, 'added'),
  };
}

/** Returns the command line of one network's dnsmasq (dnsmasq(8)). Throws Refused for an id that cannot be a folder name. */
export function renderCommandLine(
  answers: NetworkAnswers,
  options: Config['DEFAULT'],
  refusals: Refusals,
): readonly string[] {
  const files = filesOf(answers.networkId, options);
  const { leaseSeconds, mtu, renewalSeconds, rebindingSeconds, domain } = answers;
  const ranged = answers.subnets.filter(({ answered }) => answered);
  const lease = leaseSeconds === 'infinite' ? word('infinite') : glue(whole(leaseSeconds), word('s'));
  const possible = ranged.reduce((sum, { version, prefix }) => sum + 2 ** (addressBits(version) - prefix), 0);
  const range = (subnet: SubnetAnswers) => {
    const { version, network, prefix } = subnet;
    const mask = version === 4 ? ipv4(netmask(prefix)) : whole(prefix);
    const tag = glue(word('set:'), subnetTag(subnet));
    return [`--dhcp-range=${line(',', [tag, plainAddress(network), word('static'), mask, lease])}`];
  };
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
    ...ranged.flatMap((subnet) => refusals.keep(`subnet ${subnet.id}`, () => range(subnet), [])),
    ...(mtu > 0 ? [`--dhcp-option-force=option:mtu,${whole(mtu)}`] : []),
    `--dhcp-lease-max=${Math.min(possible, options.dnsmasq_lease_max)}`,
    ...(renewalSeconds > 0 ? [`--dhcp-option-force=option:T1,${renewalSeconds}s`] : []),
    ...(rebindingSeconds > 0 ? [`--dhcp-option-force=option:T2,${rebindingSeconds}s`] : []),
    ...(options.dnsmasq_txt_record ? [`--txt-record=${options.dnsmasq_txt_record}`] : []),
    `--conf-file=${options.dnsmasq_config_file.trim() || '/dev/null'}`,
    ...options.dnsmasq_dns_servers.map((server) => `--server=${server}`),
    ...(domain === '' ? [] : [`--domain=${domain}`]),
    ...(answers.broadcast ? ['--dhcp-broadcast'] : []),
    ...(options.dnsmasq_base_log_dir ? ['--log-queries', '--log-dhcp'] : []),
    `--log-facility=${files.log}`,
  ];
}
