import type { Config } from '../../config/options.ts';
import { neutronError } from '../../resources/errors.ts';
import type {
  AddressPair,
  ExtraDhcpOpt,
  WantedAddressPair,
  WantedDhcpOpt,
  WantedFixedIp,
} from '../../resources/port-types.ts';

/** Checks shared by create and update. All throw NeutronError. */

/** Enforces max_fixed_ips_per_port, if set; as in Neutron, ports of network services are exempt. */
export function checkFixedIpCount(config: Config, wanted: readonly WantedFixedIp[], networkDevice: boolean): void {
  const { max_fixed_ips_per_port: most } = config.DEFAULT;
  if (!networkDevice && most > 0 && wanted.length > most)
    throw neutronError('InvalidInput', { reason: 'Exceeded maximum amount of fixed ips per port' });
}

/** Returns address pairs with each MAC filled in. Throws AddressPairAndPortSecurityRequired without port security. */
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

/**
 * Returns the options of a new port: those with a value. Empty values are kept only if dnsmasq gives them a meaning (no
 * router).
 */
export function newDhcpOpts(opts: readonly WantedDhcpOpt[]): readonly ExtraDhcpOpt[] {
  return opts.flatMap((opt) =>
    opt.opt_value === null || !meaningful(opt.opt_name, opt.opt_value) ? [] : [{ ...opt, opt_value: opt.opt_value }],
  );
}

function meaningful(name: string, value: string): boolean {
  return value.trim() !== '' || INPUT_OPTS_WITH_EMPTY_VALUE.includes(name);
}

/** Returns the options after an update: those in the request are set or, with a null value, removed; others are kept. */
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

/** Returns the effective host name: as in Neutron, names are kept only if dns_domain is set to a non-default domain. */
export function dnsNameInForce(config: Config, wanted: string): string {
  const domain = config.DEFAULT.dns_domain.replace(/\.$/, '');
  if (domain === '' || domain === 'openstacklocal') return '';
  // A fully qualified name must be in the domain; only its host part is stored.
  const name = wanted.replace(/\.$/, '');
  if (!name.includes('.')) return name;
  const suffix = `.${domain}`;
  if (!name.endsWith(suffix))
    throw neutronError('InvalidInput', {
      reason: `The dns_name passed is a FQDN. Its higher level labels must be equal to the dns_domain option in neutron.conf, that has been set to '${domain}.'`,
    });
  return name.slice(0, -suffix.length);
}
