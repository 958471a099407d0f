import { reportState } from '../../src/plugin/agents/report.ts';
import { dhcpState, l2State, reportTime } from '../plugin/world.ts';
import type { CallersApi } from '../support/callers.ts';

/** Project that owns everything. */
export const OWNER = 'p1';

/** What a resource is created with. */
interface Sample {
  /** Collection below /v2.0. */
  readonly path: string;
  /** Key of a single resource in bodies. */
  readonly name: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** The ids of one of each resource, by its name, and what further ones can be created with. */
export interface OneOfEach {
  readonly ids: Readonly<Record<string, string>>;
  readonly samples: readonly Sample[];
}

/** Creates one of each resource, private to the project `OWNER`. */
export async function oneOfEach(api: CallersApi): Promise<OneOfEach> {
  const ids: Record<string, string> = {};
  const samples: Sample[] = [];
  const make = async (path: string, name: string, values: Readonly<Record<string, unknown>>, as = name) => {
    samples.push({ path, name, values });
    const made = await api.create(path, name, values);
    const id: string = made.id ?? made.host;
    ids[as] = id;
    return id;
  };
  const own = { project_id: OWNER };
  await reportState(api.core, dhcpState('h1'), reportTime());
  await reportState(api.core, l2State('h1'), reportTime());
  ids.agent = (await api.ask('GET', '/agents?agent_type=DHCP agent')).json.agents[0].id;
  const network = await make('/networks', 'network', own);
  const subnet = { network_id: network, ip_version: 4, cidr: '10.9.0.0/24', ...own };
  await make('/subnets', 'subnet', subnet);
  const port = { network_id: network, device_owner: 'compute:nova', ...own };
  ids.parent = await make('/ports', 'port', port, 'parent');
  await make('/ports', 'port', port);
  await make(`/ports/${ids.port}/bindings`, 'binding', { host: 'h1' });
  await make('/trunks', 'trunk', { port_id: ids.parent, ...own });
  await make('/segments', 'segment', { network_id: network, network_type: 'vxlan' });
  const scope = await make('/address-scopes', 'address_scope', { ip_version: 4, ...own });
  await make('/subnetpools', 'subnetpool', { name: 's', prefixes: ['10.20.0.0/16'], address_scope_id: scope, ...own });
  const group = await make('/security-groups', 'security_group', own);
  const rule = { security_group_id: group, direction: 'ingress', protocol: 'tcp', ...own };
  await make('/security-group-rules', 'security_group_rule', rule);
  await make('/default-security-group-rules', 'default_security_group_rule', { direction: 'ingress', protocol: 'udp' });
  await make('/address-groups', 'address_group', { addresses: ['10.0.0.1/32'], ...own });
  await make('/routers', 'router', own);
  const profile = await make('/service_profiles', 'service_profile', { metainfo: '{}' });
  await make('/flavors', 'flavor', { service_type: 'L3_ROUTER_NAT' });
  ids.service_profile = profile;
  const policy = await make('/qos/policies', 'policy', own);
  for (const [type, values] of [
    ['bandwidth_limit_rule', { max_kbps: 10 }],
    ['dscp_marking_rule', { dscp_mark: 8 }],
    ['minimum_bandwidth_rule', { min_kbps: 10 }],
    ['packet_rate_limit_rule', { max_kpps: 10 }],
    ['minimum_packet_rate_rule', { min_kpps: 10 }],
  ] as const) {
    await make(`/qos/policies/${policy}/${type}s`, type, values);
    ids[`alias_${type}`] = ids[type] ?? '';
  }
  const label = await make('/metering/metering-labels', 'metering_label', own);
  const counted = { metering_label_id: label, direction: 'ingress', remote_ip_prefix: '10.0.0.0/24' };
  await make('/metering/metering-label-rules', 'metering_label_rule', counted);
  ids.network_ip_availability = network;
  ids.quota = OWNER;
  ids.rule_type = 'bandwidth_limit';
  return { ids, samples };
}
