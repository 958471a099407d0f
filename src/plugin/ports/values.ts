import type { Config } from '../../config/options.ts';
import { neutronError } from '../../resources/errors.ts';
import type {
  AddressPair,
  ExtraDhcpOpt,
  WantedAddressPair,
  WantedDhcpOpt,
  WantedFixedIp,
} from '../../resources/port-types.ts';

/** Checks that go for create and update alike. All throw NeutronError. */

export function rejectQosPolicy(policy: string | null | undefined): void {
  if (policy !== null && policy !== undefined) throw neutronError('QosPolicyNotFound', { id: policy });
}

/** At most max_fixed_ips_per_port, when that is set; ports of the network's own services are not bounded, as in Neutron. */
export function checkFixedIpCount(config: Config, wanted: readonly WantedFixedIp[], networkDevice: boolean): void {
  const { max_fixed_ips_per_port: most } = config.DEFAULT;
  if (!networkDevice && most > 0 && wanted.length > most)
    throw neutronError('InvalidInput', { reason: 'Exceeded maximum amount of fixed ips per port' });
}

/** Address pairs with each MAC filled in; refused without port security. */
export function resolvedPairs(
  config: Config,
  pairs: readonly WantedAddressPair[],
  portMac: string,
  portSecurity: boolean,
): readonly AddressPair[] {
  if (pairs.length > config.DEFAULT.max_allowed_address_pair)
    throw neutronError('AllowedAddressPairExhausted', { quota: config.DEFAULT.max_allowed_address_pair });
  if (pairs.length > 0 && !portSecurity) throw neutronError('AddressPairAndPortSecurityRequired');
  const seen = new Set<string>();
  return pairs.map(({ ip_address, mac_address: mac = portMac }) => {
    const key = `${mac} ${ip_address}`;
    if (seen.has(key)) throw neutronError('DuplicateAddressPairInRequest', { mac, ip: ip_address });
    seen.add(key);
    return { mac_address: mac, ip_address };
  });
}

const INPUT_OPTS_WITH_EMPTY_VALUE: readonly string[] = ['router', 'classless-static-route', '121', '3'];

/** The options of a new port: those with a value. An empty value stands only where dnsmasq gives it a meaning (no router). */
export function newDhcpOpts(opts: readonly WantedDhcpOpt[]): readonly ExtraDhcpOpt[] {
  return opts.flatMap((opt) =>
    opt.opt_value === null || !meaningful(opt.opt_name, opt.opt_value) ? [] : [{ ...opt, opt_value: opt.opt_value }],
  );
}

function meaningful(name: string, value: string): boolean {
  return value.trim() !== '' || INPUT_OPTS_WITH_EMPTY_VALUE.includes(name);
}

/** The options after an update: named ones are set or, with a null value, removed; the others stay. */
export function changedDhcpOpts(
  current: readonly ExtraDhcpOpt[],
  changes: readonly WantedDhcpOpt[],
): readonly ExtraDhcpOpt[] {
  const key = (opt: { opt_name: string; ip_version: number }) => `${opt.ip_version} ${opt.opt_name}`;
  const opts = new Map(current.map((opt) => [key(opt), opt]));
  for (const change of changes) {
    if (change.opt_value === null) opts.delete(key(change));
    else if (meaningful(change.opt_name, change.opt_value))
      opts.set(key(change), { ...change, opt_value: change.opt_value });
  }
  return [...opts.values()];
}

/** The host name in force: as in Neutron, names are kept only where dns_domain is set to a domain of one's own. */
export function dnsNameInForce(config: Config, wanted: string): string {
  const domain = config.DEFAULT.dns_domain.replace(/\.$/, '');
  if (domain === '' || domain === 'openstacklocal') return '';
  // A whole name must be in the domain; its host part is what is kept.
  const name = wanted.replace(/\.$/, '');
  if (!name.includes('.')) return name;
  const suffix = `.${domain}`;
  if (!name.endsWith(suffix))
    throw neutronError('InvalidInput', {
      reason: `The dns_name passed is a FQDN. Its higher level labels must be equal to the dns_domain option in neutron.conf, that has been set to '${domain}.'`,
    });
  return name.slice(0, -suffix.length);
}
