import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { reportState } from '../../../src/plugin/agents/report.ts';
import { type CallersApi, openCallersApi } from '../../support/callers.ts';

let api: CallersApi;
beforeEach(async () => {
  api = await openCallersApi({
    ml2_type_vlan: { network_vlan_ranges: ['rack1:100:199', 'rack2:100:199'] },
  });
});
afterEach(() => api.close());

const report = (agent_type: string, host: string, configurations: object) =>
  reportState(
    api.core,
    { agent_type, binary: 'neutron-l2-agent', topic: 'N/A', host, configurations },
    '2026-11-25T00:00:00',
  );
const mappings = (physnets: readonly string[]) => Object.fromEntries(physnets.map((name) => [name, `br-${name}`]));
/** Reports an L2 agent of a host that reaches these physical networks. */
const l2Agent = (host: string, ...physnets: readonly string[]) =>
  report('Linux bridge agent', host, { interface_mappings: mappings(physnets) });
const ovsAgent = (host: string, ...physnets: readonly string[]) =>
  report('Open vSwitch agent', host, { bridge_mappings: mappings(physnets) });

/** A network with a segment and a subnet for each rack. */
async function routed() {
  const network = await api.create('/networks', 'network', {
    'provider:network_type': 'vlan',
    'provider:physical_network': 'rack1',
    'provider:segmentation_id': 101,
  });
  const [one] = (await api.ask('GET', `/segments?network_id=${network.id}`)).json.segments;
  const two = await api.create('/segments', 'segment', {
    network_id: network.id,
    network_type: 'vlan',
    physical_network: 'rack2',
    segmentation_id: 102,
  });
  const subnet = (segment: string, cidr: string) =>
    api.create('/subnets', 'subnet', { network_id: network.id, segment_id: segment, ip_version: 4, cidr });
  const subnets = [await subnet(one.id, '10.1.0.0/24'), await subnet(two.id, '10.2.0.0/24')];
  return { network, segments: [one, two], subnets } as const;
}

const port = (network: { readonly id: string }, values: object = {}) =>
  api.ask('POST', '/ports', { port: { network_id: network.id, ...values } });
const show = async (path: string, name: string) => (await api.ask('GET', path)).json[name];
const mapped = async () =>
  (await api.core.db.kysely.selectFrom('segmenthostmappings').selectAll().execute())
    .map(({ segment_id, host }) => `${host} ${segment_id}`)
    .sort();

describe('segments of hosts', () => {
  test('follow the reports of agents, whichever comes first', async () => {
    await l2Agent('h1', 'rack1');
    const { segments } = await routed();
    const [one, two] = segments.map(({ id }) => id);
    expect(await mapped()).toEqual([`h1 ${one}`]);
    await l2Agent('h2', 'rack2');
    expect(await mapped()).toEqual([`h1 ${one}`, `h2 ${two}`].sort());
    await l2Agent('h1', 'rack1');
    await l2Agent('h2', 'rack1', 'rack2');
    expect(await mapped()).toEqual([`h1 ${one}`, `h2 ${one}`, `h2 ${two}`].sort());
    await l2Agent('h1');
    expect(await mapped()).toEqual([`h2 ${one}`, `h2 ${two}`].sort());
    const { agents } = (await api.ask('GET', '/agents?host=h2')).json;
    expect((await api.ask('DELETE', `/agents/${agents[0].id}`)).status).toBe(204);
    expect(await mapped()).toEqual([]);
  });

  test('are recorded again for a host that has none, as after an upgrade', async () => {
    await l2Agent('h1', 'rack1');
    const { segments } = await routed();
    await api.core.db.kysely.deleteFrom('segmenthostmappings').execute();
    await l2Agent('h1', 'rack1');
    expect(await mapped()).toEqual([`h1 ${segments[0].id}`]);
  });
});

describe('addresses of ports in a routed network', () => {
  beforeEach(async () => {
    await l2Agent('h1', 'rack1');
    await l2Agent('h2', 'rack2');
  });

  test('are of the segment that the host reaches, to which the port is bound', async () => {
    const { network, segments, subnets } = await routed();
    for (const [at, host] of ['h1', 'h2'].entries()) {
      const { status, json } = await port(network, { 'binding:host_id': host });
      expect(status).toBe(201);
      expect(json.port).toMatchObject({
        ip_allocation: 'immediate',
        'binding:vif_type': 'bridge',
        fixed_ips: [{ subnet_id: subnets[at]?.id }],
      });
      const level = await api.core.db.kysely
        .selectFrom('ml2_port_binding_levels')
        .select('segment_id')
        .where('port_id', '=', json.port.id)
        .executeTakeFirst();
      expect(level?.segment_id).toBe(segments[at]?.id);
    }
    expect(await show(`/networks/${network.id}`, 'network')).toMatchObject({ l2_adjacency: false });
    expect((await api.ask('GET', '/networks?l2_adjacency=false')).json.networks).toHaveLength(1);
  });

  test('are allocated when the port gets its host', async () => {
    const { network, subnets } = await routed();
    const { json } = await port(network);
    expect(json.port).toMatchObject({ ip_allocation: 'deferred', fixed_ips: [] });
    const bound = await api.ask('PUT', `/ports/${json.port.id}`, { port: { 'binding:host_id': 'h2' } });
    expect(bound.json.port).toMatchObject({
      fixed_ips: [{ subnet_id: subnets[1].id }],
      'binding:vif_type': 'bridge',
    });
    // A port without addresses on purpose gets none.
    const none = await port(network, { fixed_ips: [] });
    expect(none.json.port).toMatchObject({ ip_allocation: 'none', fixed_ips: [] });
    const still = await api.ask('PUT', `/ports/${none.json.port.id}`, { port: { 'binding:host_id': 'h2' } });
    expect(still.json.port.fixed_ips).toEqual([]);
  });

  test('decide to which hosts the port can be bound', async () => {
    const { network, subnets } = await routed();
    const { json } = await port(network, { fixed_ips: [{ subnet_id: subnets[0].id }] });
    expect(json.port).toMatchObject({ ip_allocation: 'immediate', fixed_ips: [{ subnet_id: subnets[0].id }] });
    const bind = (host: string) => api.ask('PUT', `/ports/${json.port.id}`, { port: { 'binding:host_id': host } });
    expect(await bind('h2')).toMatchObject({ status: 409, type: 'HostNotCompatibleWithFixedIps' });
    expect(await bind('elsewhere')).toMatchObject({ status: 409, type: 'HostNotConnectedToAnySegment' });
    expect((await bind('h1')).status).toBe(200);
    // Nor can a further binding be made there, as for a live migration.
    await api.ask('PUT', `/ports/${json.port.id}`, { port: { device_owner: 'compute:nova' } });
    expect(await api.ask('POST', `/ports/${json.port.id}/bindings`, { binding: { host: 'h2' } })).toMatchObject({
      status: 409,
      type: 'HostNotCompatibleWithFixedIps',
    });
    // With other addresses it can move.
    const moved = await api.ask('PUT', `/ports/${json.port.id}`, {
      port: { 'binding:host_id': 'h2', fixed_ips: [{ subnet_id: subnets[1].id }] },
    });
    expect(moved).toMatchObject({ status: 200, json: { port: { fixed_ips: [{ subnet_id: subnets[1].id }] } } });
    const level = await api.core.db.kysely.selectFrom('ml2_port_binding_levels').selectAll().execute();
    expect(level).toMatchObject([{ host: 'h2', port_id: json.port.id }]);
  });

  test.each<[string, (subnets: readonly { readonly id: string }[]) => object, number, string]>([
    ['a host on no segment', () => ({ 'binding:host_id': 'h9' }), 409, 'HostNotConnectedToAnySegment'],
    ['a host on both segments', () => ({ 'binding:host_id': 'h3' }), 409, 'HostConnectedToMultipleSegments'],
    [
      'addresses on two segments',
      (subnets) => ({ fixed_ips: subnets.map(({ id }) => ({ subnet_id: id })) }),
      400,
      'FixedIpsSubnetsNotOnSameSegment',
    ],
    [
      'addresses on two segments by value',
      () => ({ fixed_ips: [{ ip_address: '10.1.0.9' }, { ip_address: '10.2.0.9' }] }),
      400,
      'FixedIpsSubnetsNotOnSameSegment',
    ],
    [
      "an address on another segment than the host's",
      (subnets) => ({ 'binding:host_id': 'h1', fixed_ips: [{ subnet_id: subnets[1]?.id }] }),
      400,
      'InvalidInput',
    ],
  ])('%s is refused', async (_, values, status, type) => {
    await l2Agent('h3', 'rack1', 'rack2');
    const { network, subnets } = await routed();
    expect(await port(network, values(subnets))).toMatchObject({ status, type });
    expect((await api.ask('GET', '/ports')).json.ports).toEqual([]);
  });

  test('are of any segment where Open vSwitch connects a host to several, those of a port of one', async () => {
    await ovsAgent('h3', 'rack1', 'rack2');
    const { network, segments, subnets } = await routed();
    const segmentOf = async (id: string) =>
      (
        await api.core.db.kysely
          .selectFrom('ml2_port_binding_levels')
          .select('segment_id')
          .where('port_id', '=', id)
          .executeTakeFirst()
      )?.segment_id;
    for (const at of [0, 1] as const) {
      const { json } = await port(network, { 'binding:host_id': 'h3', fixed_ips: [{ subnet_id: subnets[at].id }] });
      expect(json.port).toMatchObject({ 'binding:vif_type': 'ovs', fixed_ips: [{ subnet_id: subnets[at].id }] });
      expect(await segmentOf(json.port.id)).toBe(segments[at]?.id);
    }
    const both = { 'binding:host_id': 'h3', fixed_ips: subnets.map(({ id }) => ({ subnet_id: id })) };
    expect(await port(network, both)).toMatchObject({ status: 400, type: 'FixedIpsSubnetsNotOnSameSegment' });
    // The first segment that has an address left.
    const pool = [{ start: '10.1.0.10', end: '10.1.0.10' }];
    expect((await api.ask('PUT', `/subnets/${subnets[0].id}`, { subnet: { allocation_pools: pool } })).status).toBe(
      200,
    );
    const two = await Promise.all([1, 2].map(() => port(network, { 'binding:host_id': 'h3' })));
    const made = two.map(({ json }) => json.port);
    expect(made.map((one) => one.fixed_ips[0].subnet_id).sort()).toEqual(subnets.map(({ id }) => id).sort());
    for (const { id, fixed_ips: ips } of made)
      expect(await segmentOf(id)).toBe(segments[subnets.findIndex((s) => s.id === ips[0].subnet_id)]?.id);
  });

  test('derived from MACs reach only the ports of their segment', async () => {
    const { network, segments } = await routed();
    const made = [];
    for (const host of ['h1', 'h2']) made.push((await port(network, { 'binding:host_id': host })).json.port.id);
    const slaac = await api.create('/subnets', 'subnet', {
      network_id: network.id,
      segment_id: segments[1].id,
      ip_version: 6,
      cidr: 'fd00::/64',
      ipv6_ra_mode: 'slaac',
      ipv6_address_mode: 'slaac',
    });
    const lengths = await Promise.all(made.map(async (id) => (await show(`/ports/${id}`, 'port')).fixed_ips.length));
    expect(lengths).toEqual([1, 2]);
    // A port whose only address is there would not know its segment any more.
    const only = await port(network, { 'binding:host_id': 'h2', fixed_ips: [{ subnet_id: slaac.id }] });
    expect(only.status).toBe(201);
    expect(await api.ask('DELETE', `/subnets/${slaac.id}`)).toMatchObject({ status: 409, type: 'SubnetInUse' });
    await api.ask('DELETE', `/ports/${only.json.port.id}`);
    expect((await api.ask('DELETE', `/subnets/${slaac.id}`)).status).toBe(204);
  });
});

describe('subnets of segments', () => {
  const routesOf = async (id: string) => (await show(`/subnets/${id}`, 'subnet')).host_routes;

  test('have routes to those of the other segments', async () => {
    const { network, segments, subnets } = await routed();
    const [one, two] = subnets;
    expect(await routesOf(one.id)).toEqual([{ destination: '10.2.0.0/24', nexthop: '10.1.0.1' }]);
    expect(await routesOf(two.id)).toEqual([{ destination: '10.1.0.0/24', nexthop: '10.2.0.1' }]);
    // One of the same segment is on the link, one of the other IP version is no peer.
    const three = await api.create('/subnets', 'subnet', {
      network_id: network.id,
      segment_id: segments[0].id,
      ip_version: 4,
      cidr: '10.3.0.0/24',
      host_routes: [{ destination: '10.0.0.0/8', nexthop: '10.3.0.7' }],
    });
    expect(three.host_routes).toEqual([{ destination: '10.0.0.0/8', nexthop: '10.3.0.7' }]);
    expect(await routesOf(one.id)).toHaveLength(1);
    expect(await routesOf(two.id)).toHaveLength(2);
    const moved = await api.ask('PUT', `/subnets/${two.id}`, {
      subnet: { gateway_ip: '10.2.0.254', allocation_pools: [{ start: '10.2.0.10', end: '10.2.0.20' }] },
    });
    expect(moved.json.subnet.host_routes.map((r: { nexthop: string }) => r.nexthop)).toEqual([
      '10.2.0.254',
      '10.2.0.254',
    ]);
    expect((await api.ask('DELETE', `/subnets/${three.id}`)).status).toBe(204);
    expect(await routesOf(two.id)).toEqual([{ destination: '10.1.0.0/24', nexthop: '10.2.0.254' }]);
    // As in Neutron, routes to peers come back.
    const emptied = await api.ask('PUT', `/subnets/${two.id}`, { subnet: { host_routes: [] } });
    expect(emptied.json.subnet.host_routes).toHaveLength(1);
  });

  test('keep their segment', async () => {
    const { subnets, segments } = await routed();
    const [{ id }] = subnets;
    const put = (subnet: string, segment: string | null) =>
      api.ask('PUT', `/subnets/${subnet}`, { subnet: { segment_id: segment } });
    expect(await put(id, segments[1].id)).toMatchObject({ status: 400, type: 'SubnetsNotAllAssociatedWithSegments' });
    expect((await put(id, segments[0].id)).status).toBe(200);
    await api.ask('DELETE', `/subnets/${subnets[1].id}`);
    expect(await put(id, null)).toMatchObject({ status: 400, type: 'SubnetSegmentAssociationChangeNotAllowed' });
  });

  test('are associated only as the only ones of a network with one segment, or have addresses that routers announce', async () => {
    const { network, segments, subnets } = await routed();
    for (const { id } of subnets) await api.ask('DELETE', `/subnets/${id}`);
    const values = { network_id: network.id, ip_version: 4, cidr: '10.9.0.0/24' };
    const plain = await api.create('/subnets', 'subnet', values);
    const put = () => api.ask('PUT', `/subnets/${plain.id}`, { subnet: { segment_id: segments[0].id } });
    expect(await put()).toMatchObject({ status: 400, type: 'NoUpdateSubnetWhenMultipleSegmentsOnNetwork' });
    expect((await api.ask('DELETE', `/segments/${segments[1].id}`)).status).toBe(204);
    expect((await put()).status).toBe(200);
    const further = { ...values, cidr: '10.8.0.0/24' };
    expect((await api.ask('POST', '/subnets', { subnet: further })).type).toBe('SubnetsNotAllAssociatedWithSegments');
    await api.create('/subnets', 'subnet', { ...further, service_types: ['network:routed'] });
  });
});

test('an external routed network has gateways and floating IPs at chosen subnets and addresses', async () => {
  const { network, subnets } = await routed();
  await api.ask('PUT', `/networks/${network.id}`, { network: { 'router:external': true } });
  const gateway = async (fixed: object) =>
    (await api.create('/routers', 'router', { external_gateway_info: { network_id: network.id, ...fixed } }))
      .external_gateway_info.external_fixed_ips;
  // As in Neutron, a gateway waits for a host.
  expect(await gateway({})).toEqual([]);
  const chosen = { subnet_id: subnets[0].id };
  expect(await gateway({ external_fixed_ips: [chosen] })).toMatchObject([chosen]);
  const floating = (extra: object) =>
    api.ask('POST', '/floatingips', { floatingip: { floating_network_id: network.id, ...extra } });
  expect(await floating({})).toMatchObject({ status: 400, type: 'ExternalIpAddressExhausted' });
  expect((await floating(chosen)).json.floatingip.floating_ip_address).toMatch(/^10[.]1[.]0[.]/);
  expect((await floating({ floating_ip_address: '10.2.0.77' })).status).toBe(201);
});
