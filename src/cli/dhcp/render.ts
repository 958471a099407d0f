import { Ajv, type ErrorObject, type SchemaObject } from 'ajv';
import { renderLeases, renderNetwork } from '../../agents/dhcp/drivers/dnsmasq/render.ts';
import { type Config, defaultConfig } from '../../config/options.ts';
import { ConfigError, parseOption } from '../../config/parse.ts';
import type { NetworkInfo } from '../../rpc/documents.ts';

const text = { type: 'string' } as const;
const textOrNull = { type: ['string', 'null'], default: null } as const;
const array = (items: object) => ({ type: 'array', items }) as const;
const list = (items: object) => ({ ...array(items), default: [] }) as const;
const record = (required: readonly string[], properties: object) => ({ type: 'object', required, properties }) as const;

const SUBNET = record(['id', 'cidr', 'ip_version', 'enable_dhcp'], {
  id: text,
  cidr: text,
  ip_version: { enum: [4, 6] },
  enable_dhcp: { type: 'boolean' },
  gateway_ip: textOrNull,
  dns_nameservers: list(text),
  host_routes: list(record(['destination', 'nexthop'], { destination: text, nexthop: text })),
  ipv6_ra_mode: textOrNull,
  ipv6_address_mode: textOrNull,
  segment_id: textOrNull,
});

const PORT = record(['id', 'mac_address', 'fixed_ips'], {
  id: text,
  mac_address: text,
  device_owner: { ...text, default: '' },
  status: { ...text, default: '' },
  fixed_ips: array(record(['subnet_id', 'ip_address'], { subnet_id: text, ip_address: text })),
  dns_assignment: list(record(['ip_address', 'hostname', 'fqdn'], { ip_address: text, hostname: text, fqdn: text })),
  extra_dhcp_opts: list(
    record(['opt_name', 'opt_value', 'ip_version'], { opt_name: text, opt_value: text, ip_version: { enum: [4, 6] } }),
  ),
});

/** What of a `get_network_info` document the dnsmasq driver reads; more may be there. */
const NETWORK: SchemaObject = record(['id', 'subnets', 'ports'], {
  id: text,
  mtu: { type: 'integer', minimum: 0, default: 0 },
  subnets: array(SUBNET),
  non_local_subnets: list(SUBNET),
  ports: array(PORT),
});

/** What the dnsmasq driver would write and run for a network. */
export interface RenderedDhcp {
  readonly host: string;
  readonly addn_hosts: string;
  readonly opts: string;
  readonly leases: string;
  /** The arguments, the program first. */
  readonly cmdline: readonly string[];
  readonly enable_dhcp: boolean;
  readonly enable_metadata: boolean;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrongShape(errors: readonly ErrorObject[]): Error {
  const told = errors.slice(0, 5).map(({ instancePath, message, params }) => {
    const allowed = Array.isArray(params.allowedValues) ? `: ${params.allowedValues.join(', ')}` : '';
    return `${instancePath.slice(1).replaceAll('/', '.') || 'the document'} ${message}${allowed}`;
  });
  return new Error(`not the document of a network as get_network_info answers it: ${told.join('; ')}`);
}

function readNetwork(documentText: string): NetworkInfo {
  let document: unknown;
  try {
    document = JSON.parse(documentText);
  } catch (error) {
    throw new Error(`not JSON: ${error instanceof Error ? error.message : error}`);
  }
  const network = isRecord(document) && isRecord(document.network) ? document.network : document;
  const validate = new Ajv({ useDefaults: true, allErrors: true, allowUnionTypes: true }).compile<NetworkInfo>(NETWORK);
  if (!validate(network)) throw wrongShape(validate.errors ?? []);
  return network;
}

/** Options of the agent as `name=value`. Paths not given stay as Neutron's configuration files write them. */
function readOptions(options: readonly string[]): Config {
  const defaults = defaultConfig();
  const given: Record<string, unknown> = {};
  for (const option of options) {
    const equals = option.indexOf('=');
    if (equals < 1) throw new ConfigError(`--option ${JSON.stringify(option)}: must be name=value`);
    const name = option.slice(0, equals).trim().replaceAll('-', '_');
    given[name] = parseOption('DEFAULT', name, option.slice(equals + 1), '--option');
  }
  const dhcp_confs = `${given.state_path ?? '$state_path'}/dhcp`;
  return { ...defaults, DEFAULT: { ...defaults.DEFAULT, dhcp_confs, ...given } };
}

/**
 * What the dnsmasq driver would make of a network: the files' texts, the command line, and whether the network gets DHCP
 * and a metadata proxy.
 *
 * @param documentText JSON: a network as `get_network_info` answers it, or an object that holds one as `network`.
 * @param options options of the DHCP agent as `name=value`, under their names in [DEFAULT].
 * @param warn told of each value that is left out since dnsmasq cannot be told it.
 * @throws Error naming what is wrong with the document; ConfigError naming an option and what would be right.
 */
export function renderDhcp(
  documentText: string,
  options: readonly string[],
  warn: (message: string) => void = () => undefined,
): RenderedDhcp {
  const config = readOptions(options);
  const rendered = renderNetwork(readNetwork(documentText), config);
  for (const { owner, reason } of rendered.refused) warn(`${owner}: ${reason}`);
  const duration = config.DEFAULT.dhcp_lease_duration;
  const expires = duration < 0 ? 0 : Math.floor(Date.now() / 1000) + duration;
  return {
    host: rendered.host,
    addn_hosts: rendered.addnHosts,
    opts: rendered.opts,
    leases: renderLeases(rendered.entitled, expires),
    cmdline: rendered.commandLine,
    enable_dhcp: rendered.enableDhcp,
    enable_metadata: rendered.enableMetadata,
  };
}
