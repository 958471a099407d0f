/** Changes through the API whose notifications are compared with those of stock Neutron (`test/fixtures/notifications`). */

// biome-ignore lint/suspicious/noExplicitAny: tests read parts of documents of any shape, and fail if one is missing
type Ask = (method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object) => Promise<any>;

const PROJECT = 'f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0';
const NOBODY = '11111111-1111-4111-8111-111111111111';

/** Performs the changes, some of which are refused. `ask`: sends a request below /v2.0 and returns the body of its answer. */
export async function changeThings(ask: Ask): Promise<void> {
  const make = async (path: string, name: string, values: object) =>
    (await ask('POST', path, { [name]: { tenant_id: PROJECT, ...values } }))[name];
  const network = await make('networks', 'network', { name: 'n' });
  const subnet = await make('subnets', 'subnet', { network_id: network.id, ip_version: 4, cidr: '10.0.0.0/24' });
  await make('networks', 'network', { name: 5 });
  await make('ports', 'port', { network_id: NOBODY });
  const two = { network_id: network.id, tenant_id: PROJECT };
  const { ports } = await ask('POST', 'ports', { ports: [two, two] });
  await ask('PUT', `ports/${ports[0].id}`, { port: { name: 'x' } });
  await ask('PUT', `ports/${ports[0].id}`, { port: { nonsense: 'x' } });
  await ask('PUT', `ports/${NOBODY}`, { port: { name: 'x' } });
  await ask('PUT', `networks/${network.id}/tags/red`);
  await ask('PUT', `networks/${network.id}/tags`, { tags: ['a'] });
  await ask('DELETE', `networks/${network.id}/tags/a`);
  const router = await make('routers', 'router', { name: 'r' });
  await ask('PUT', `routers/${router.id}/add_router_interface`, { subnet_id: subnet.id });
  await ask('PUT', `routers/${router.id}/add_extraroutes`, { router: { routes: [] } });
  await ask('PUT', `routers/${router.id}/remove_router_interface`, { subnet_id: subnet.id });
  const group = await make('security-groups', 'security_group', { name: 's' });
  const rule = await make('security-group-rules', 'security_group_rule', {
    security_group_id: group.id,
    direction: 'ingress',
  });
  await ask('DELETE', `security-group-rules/${rule.id}`);
  const policy = await make('qos/policies', 'policy', { name: 'q' });
  const limits = `qos/policies/${policy.id}/bandwidth_limit_rules`;
  const limit = await ask('POST', limits, { bandwidth_limit_rule: { max_kbps: 1000 } });
  const { id } = limit.bandwidth_limit_rule;
  await ask('PUT', `${limits}/${id}`, { bandwidth_limit_rule: { max_kbps: 2000 } });
  await ask('DELETE', `${limits}/${id}`);
  await ask('PUT', `quotas/${PROJECT}`, { quota: { port: 5 } });
  await ask('DELETE', `quotas/${PROJECT}`);
  const trunk = await make('trunks', 'trunk', { port_id: ports[0].id });
  const subport = { port_id: ports[1].id, segmentation_type: 'vlan', segmentation_id: 5 };
  await ask('PUT', `trunks/${trunk.id}/add_subports`, { sub_ports: [subport] });
  await ask('PUT', `trunks/${trunk.id}/remove_subports`, { sub_ports: [{ port_id: ports[1].id }] });
  await ask('DELETE', `trunks/${trunk.id}`);
  await make('subnetpools', 'subnetpool', { name: 'p', prefixes: ['10.8.0.0/16'], default_prefixlen: 24 });
  await make('address-scopes', 'address_scope', { name: 'p', ip_version: 4 });
  await ask('DELETE', `networks/${network.id}`);
  for (const port of ports) await ask('DELETE', `ports/${port.id}`);
  await ask('DELETE', `routers/${router.id}`);
  await ask('DELETE', `networks/${network.id}`);
  await ask('DELETE', `networks/${network.id}`);
}

type Json = Readonly<Record<string, unknown>>;

/** Attributes that stock Neutron shows to nobody else, and those of extensions that the recorded server did not have. */
const LEFT_OUT = ['standard_attr_id', 'vlan_transparent', 'propagate_uplink_status', 'conntrack_helpers'];

/** Returns a notification as text that two servers can be compared by: its type, and the names in its payload. */
export function outlineOf(event: string, payload: Json): string {
  const names = (value: unknown): string => {
    if (Array.isArray(value)) return `[${value.slice(0, 1).map(names)}]`;
    if (value === null || typeof value !== 'object') return '';
    const shown = Object.keys(value).filter((name) => !LEFT_OUT.includes(name));
    return `{${shown.sort().join(' ')}}`;
  };
  const parts = Object.entries(payload).map(([name, value]) => `${name}${names(value)}`);
  return `${event}: ${parts.sort().join(', ')}`;
}
