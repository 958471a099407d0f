import { generatedNames, type PortAddress, type PortAnswers } from '../../answers/port.ts';
import { type Refusal, Refusals } from '../../answers/refusals.ts';
import {
  address as addressField,
  clientId as clientIdField,
  type Field,
  glue,
  id,
  type Line,
  line,
  mac,
  name,
  optionName,
  optionValue,
  plainAddress,
  plainName,
  word,
} from './fields.ts';

/** Settings that the lines of a port depend on, in addition to its answers. */
export interface PortLineOptions {
  /** Domain of generated host names; empty: none. */
  readonly domain: string;
  /** Whether all addresses of a port in one stateful DHCPv6 subnet share one line (dnsmasq_enable_addr6_list). */
  readonly mergeIpv6: boolean;
}

/** Who may hold a lease for an address. */
export interface Entitlement {
  readonly mac: string;
  readonly address: string;
  readonly clientId?: string;
  readonly version: 4 | 6;
  /** The port's status, such as ACTIVE. */
  readonly status: string;
}

/** The lines of one port in each file. */
export interface PortLines {
  readonly host: readonly Line[];
  readonly addnHosts: readonly Line[];
  readonly opts: readonly Line[];
  readonly entitled: readonly Entitlement[];
  readonly refused: readonly Refusal[];
}

const NOTHING = { host: [], addnHosts: [], opts: [], entitled: [] };
const SET = word('set:');
const TAG = word('tag:');
const DHCPV6 = word('tag:dhcpv6');

interface NameFields {
  readonly fqdn: Field;
  readonly hostname: Field;
}

/** Returns a port's names, or generated ones if dnsmasq cannot represent them. */
function nameFields({ address, names }: PortAddress, domain: string, owner: string, refusals: Refusals): NameFields {
  const fields = (wanted: PortAddress['names']) => ({
    hostname: plainName(wanted.hostname, 'host name'),
    fqdn: name(wanted.fqdn, 'host name'),
  });
  return refusals.keep(owner, () => fields(names), undefined) ?? fields(generatedNames(address, domain));
}

/**
 * Returns a line of the options file (dnsmasq(8), --dhcp-option): an option by name or number for hosts with a tag. Without
 * values, the option is not sent at all, not even dnsmasq's default.
 */
export function optionLine(version: 4 | 6, tag: Field, option: string, values: readonly Field[]): Line {
  const named = optionName(option);
  const prefix = version === 6 ? word('option6:') : /^\d+$/.test(named.option) ? ('' as const) : word('option:');
  const words = glue(named.tags, ...(prefix === '' ? [] : [prefix]), named.option);
  return line(',', [glue(TAG, tag), words, ...values]);
}

/**
 * Renders the lines of one port for the files `host`, `addn_hosts` and `opts`. The line of a stateless DHCPv6 address precedes
 * the port's others: dnsmasq uses the last line that matches a MAC, and one without an address would leave DHCPv4 without an
 * address.
 */
export function renderPort(port: PortAnswers, { domain, mergeIpv6 }: PortLineOptions): PortLines {
  const { portId, mac: macText, clientId, status } = port;
  const owner = `port ${portId}`;
  const refusals = new Refusals();
  refusals.list.push(...port.refused);
  const tag = refusals.keep(owner, () => glue(word('port-'), id(portId)), undefined);
  if (tag === undefined) return { ...NOTHING, refused: refusals.list };
  const opts = port.options.flatMap(({ ip_version, opt_name, opt_value }) => {
    const make = () => [optionLine(ip_version, tag, opt_name, opt_value ? [optionValue(opt_value)] : [])];
    return refusals.keep(owner, make, []);
  });
  // As in Neutron's files, options of ports that do not use DHCP are there, for nobody.
  if (macText === undefined) return { ...NOTHING, opts, refused: refusals.list };

  const hardware = mac(macText);
  const client = clientId === undefined ? undefined : refusals.keep(owner, () => clientIdField(clientId), undefined);
  const settings = port.hasOptions ? [glue(SET, tag)] : [];
  const head = (version: 4 | 6) => (version === 6 ? [hardware, DHCPV6] : [hardware]);

  const stateless: Line[] = [];
  const stateful: Line[] = [];
  const addnHosts: Line[] = [];
  const entitled: Entitlement[] = [];
  const merged = new Map<string, { readonly names: NameFields; readonly addresses: Field[] }>();
  const hostLine = (version: 4 | 6, { fqdn }: NameFields, addresses: readonly Field[]) => {
    const who = [...head(version), ...(client === undefined ? [] : [glue(word('id:'), client)])];
    return line(',', [...who, fqdn, ...addresses, ...settings]);
  };

  const place = (one: PortAddress) => {
    const { address, subnet, gets } = one;
    const names = nameFields(one, domain, owner, refusals);
    addnHosts.push(line('\t', [plainAddress(address), line(' ', [names.fqdn, names.hostname])]));
    if (!subnet || gets === 'name') return;
    if (gets === 'options') {
      stateless.push(line(',', [...head(6), glue(SET, tag)]));
      return;
    }
    const merges = mergeIpv6 && subnet.document.ipv6_address_mode === 'dhcpv6-stateful';
    const before = merges ? merged.get(subnet.id) : undefined;
    if (before) before.addresses.push(addressField(address));
    else if (merges) merged.set(subnet.id, { names, addresses: [addressField(address)] });
    else stateful.push(hostLine(subnet.version, names, [addressField(address)]));
    entitled.push({
      mac: hardware,
      address,
      version: subnet.version,
      status,
      ...(client === undefined ? {} : { clientId: client }),
    });
  };
  for (const one of port.addresses) refusals.keep(owner, () => place(one), undefined);
  for (const { names, addresses } of merged.values()) {
    refusals.keep(owner, () => stateful.push(hostLine(6, names, addresses)), undefined);
  }
  return { host: [...stateless, ...stateful], addnHosts, opts, entitled, refused: refusals.list };
}
