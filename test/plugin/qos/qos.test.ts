import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type CallersApi, openCallersApi } from '../../support/callers.ts';

let api: CallersApi;
beforeEach(async () => {
  api = await openCallersApi();
});
afterEach(() => api.close());

const policy = (values: object = {}) => api.create('/qos/policies', 'policy', { project_id: 'p1', ...values });
const rule = (of: string, type: string, values: object) =>
  api.ask('POST', `/qos/policies/${of}/${type}s`, { [type]: values });

describe('QoS policies', () => {
  test('contain their rules, and count their changes', async () => {
    const { id, revision_number: before } = await policy({ name: 'gold' });
    const made = await rule(id, 'bandwidth_limit_rule', { max_kbps: 1000 });
    expect(made).toMatchObject({
      status: 201,
      json: { bandwidth_limit_rule: { max_kbps: 1000, max_burst_kbps: 0, direction: 'egress' } },
    });
    const { policy: shown } = (await api.ask('GET', `/qos/policies/${id}`)).json;
    const of = { qos_policy_id: id, type: 'bandwidth_limit', id: made.json.bandwidth_limit_rule.id };
    expect(shown.rules).toEqual([{ ...of, max_kbps: 1000, max_burst_kbps: 0, direction: 'egress' }]);
    expect(shown.revision_number).toBe(before + 1);
  });

  test.each([
    ['bandwidth_limit_rule', { max_kbps: 1 }, { max_kbps: 2 }, 'QoSRulesConflict'],
    ['dscp_marking_rule', { dscp_mark: 8 }, { dscp_mark: 10 }, 'QoSRulesConflict'],
    ['minimum_bandwidth_rule', { min_kbps: 1 }, { min_kbps: 2 }, 'QoSRulesConflict'],
    ['packet_rate_limit_rule', { max_kpps: 1 }, { max_kpps: 2 }, 'QoSRulesConflict'],
    [
      'minimum_packet_rate_rule',
      { min_kpps: 1, direction: 'any' },
      { min_kpps: 2, direction: 'egress' },
      'QoSRuleParameterConflict',
    ],
  ])('have one %s for each direction', async (type, first, second, error) => {
    const { id } = await policy();
    expect((await rule(id, type, first)).status).toBe(201);
    expect(await rule(id, type, second)).toMatchObject({ status: 409, type: error });
    if ('direction' in first || type === 'dscp_marking_rule') return;
    expect((await rule(id, type, { ...second, direction: 'ingress' })).status).toBe(201);
  });

  test('guarantee no more than they allow, on create and update', async () => {
    const { id } = await policy();
    const limit = (await rule(id, 'bandwidth_limit_rule', { max_kbps: 100 })).json.bandwidth_limit_rule;
    const conflict = { status: 409, type: 'QoSRuleParameterConflict' };
    expect(await rule(id, 'minimum_bandwidth_rule', { min_kbps: 101 })).toMatchObject(conflict);
    expect((await rule(id, 'minimum_bandwidth_rule', { min_kbps: 50 })).status).toBe(201);
    const at = `/qos/policies/${id}/bandwidth_limit_rules/${limit.id}`;
    expect(await api.ask('PUT', at, { bandwidth_limit_rule: { max_kbps: 49 } })).toMatchObject(conflict);
    const alias = `/qos/alias-bandwidth-limit-rules/${limit.id}`;
    expect(await api.ask('PUT', alias, { alias_bandwidth_limit_rule: { max_kbps: 49 } })).toMatchObject(conflict);
    expect((await api.ask('PUT', alias, { alias_bandwidth_limit_rule: { max_kbps: 60 } })).status).toBe(200);
    expect((await api.ask('GET', at)).json.bandwidth_limit_rule.max_kbps).toBe(60);
    expect((await api.ask('DELETE', alias)).status).toBe(204);
    expect(await api.ask('GET', at)).toMatchObject({ status: 404, type: 'QosRuleNotFound' });
  });

  test('are kept while something uses them', async () => {
    const { id } = await policy();
    const network = await api.create('/networks', 'network', { qos_policy_id: id });
    expect(network.qos_policy_id).toBe(id);
    expect(await api.ask('DELETE', `/qos/policies/${id}`)).toMatchObject({ status: 409, type: 'QosPolicyInUse' });
    const port = await api.create('/ports', 'port', { network_id: network.id });
    expect(port).toMatchObject({ qos_policy_id: null, qos_network_policy_id: id });
    expect((await api.ask('GET', `/ports?qos_policy_id=${id}`)).json.ports).toEqual([]);
    await api.ask('PUT', `/networks/${network.id}`, { network: { qos_policy_id: null } });
    await api.ask('PUT', `/ports/${port.id}`, { port: { qos_policy_id: id } });
    const { ports } = (await api.ask('GET', `/ports?qos_policy_id=${id}`)).json;
    expect(ports).toMatchObject([{ id: port.id, qos_policy_id: id, qos_network_policy_id: null }]);
    expect((await api.ask('DELETE', `/qos/policies/${id}`)).type).toBe('QosPolicyInUse');
    await api.ask('DELETE', `/ports/${port.id}`);
    expect((await api.ask('DELETE', `/qos/policies/${id}`)).status).toBe(204);
  });

  test('are the default of new networks of their project, one at most', async () => {
    const { id } = await policy({ is_default: true });
    expect((await api.create('/networks', 'network', {}, 'p1')).qos_policy_id).toBe(id);
    expect((await api.create('/networks', 'network', {}, 'p2')).qos_policy_id).toBeNull();
    const second = await api.ask('POST', '/qos/policies', { policy: { project_id: 'p1', is_default: true } });
    expect(second).toMatchObject({ status: 409, type: 'QoSPolicyDefaultAlreadyExists' });
  });

  test('are used and seen by their project and those that they are shared with', async () => {
    const [own, foreign] = [await policy(), await policy({ project_id: 'p2' })];
    const all = await policy({ project_id: 'p3', shared: true });
    const seen = async (who: string) =>
      (await api.ask('GET', '/qos/policies', undefined, who)).json.policies.map((p: { id: string }) => p.id).sort();
    expect(await seen('p1')).toEqual([own.id, all.id].sort());
    expect((await api.ask('GET', `/qos/policies/${foreign.id}`, undefined, 'p1')).type).toBe('QosPolicyNotFound');
    const network = (qos_policy_id: string) => api.ask('POST', '/networks', { network: { qos_policy_id } }, 'p1');
    expect((await network(foreign.id)).type).toBe('QosPolicyNotFound');
    expect((await network(all.id)).status).toBe(201);
    expect(await api.ask('PUT', `/qos/policies/${all.id}`, { policy: { shared: false } })).toMatchObject({
      status: 409,
      type: 'RbacPolicyInUse',
    });
    expect((await api.ask('POST', '/qos/policies', { policy: {} }, 'p1')).status).toBe(403);
  });

  test('cannot be taken off by who does not see them', async () => {
    const { id: foreign } = await policy({ project_id: 'p2' });
    const network = await api.create('/networks', 'network', {}, 'p1');
    await api.ask('PUT', `/networks/${network.id}`, { network: { qos_policy_id: foreign } });
    const off = await api.ask('PUT', `/networks/${network.id}`, { network: { qos_policy_id: null } }, 'p1');
    expect(off).toMatchObject({ status: 403, type: 'PolicyRemoveAuthorizationError' });
  });
});

test('types of QoS rules: those that agents apply, all with all_rules, details of one', async () => {
  const types = async (query = '') => (await api.ask('GET', `/qos/rule-types${query}`)).json.rule_types;
  expect((await types()).map((t: { type: string }) => t.type).sort()).toEqual(['bandwidth_limit', 'dscp_marking']);
  expect(await types('?all_rules=true')).toHaveLength(5);
  const { rule_type: shown } = (await api.ask('GET', '/qos/rule-types/dscp_marking')).json;
  expect(shown).toMatchObject({
    type: 'dscp_marking',
    drivers: [{ name: 'linuxbridge' }, { name: 'openvswitch' }],
  });
  expect((await types('?all_supported=true')).map((t: { type: string }) => t.type)).toContain('minimum_bandwidth');
  expect((await api.ask('GET', '/qos/rule-types/nope')).status).toBe(404);
});

test('metering labels and their rules', async () => {
  const label = await api.create('/metering/metering-labels', 'metering_label', { name: 'l', shared: true });
  const wanted = (values: object) => ({
    metering_label_rule: { metering_label_id: label.id, direction: 'egress', ...values },
  });
  const post = (values: object) => api.ask('POST', '/metering/metering-label-rules', wanted(values));
  const made = await post({ remote_ip_prefix: '10.0.0.0/24' });
  expect(made).toMatchObject({
    status: 201,
    json: { metering_label_rule: { excluded: false, source_ip_prefix: null, remote_ip_prefix: '10.0.0.0/24' } },
  });
  expect((await post({ remote_ip_prefix: '10.0.0.128/25' })).type).toBe('MeteringLabelRuleOverlaps');
  expect((await post({})).status).toBe(400);
  expect((await post({ remote_ip_prefix: '10.9.0.0/24', source_ip_prefix: '10.1.0.0/16' })).status).toBe(400);
  expect((await post({ metering_label_id: made.json.metering_label_rule.id, source_ip_prefix: '::/0' })).type).toBe(
    'MeteringLabelNotFound',
  );
  expect((await api.ask('DELETE', `/metering/metering-labels/${label.id}`)).status).toBe(204);
  expect((await api.ask('GET', '/metering/metering-label-rules')).json.metering_label_rules).toEqual([]);
});

describe('guarantees', () => {
  const policyWith = async (rule: string, values: object) => {
    const policy = await api.create('/qos/policies', 'policy', { name: rule });
    const made = await api.ask('POST', `/qos/policies/${policy.id}/${rule}s`, { [rule]: values });
    expect(made.status).toBe(201);
    return { id: policy.id, rule: made.json[rule].id };
  };
  const physical = { 'provider:network_type': 'flat', 'provider:physical_network': 'physnet1' };

  test('of bandwidth are what a port on a physical network requires of Placement', async () => {
    const { id } = await policyWith('minimum_bandwidth_rule', { min_kbps: 1000 });
    const network = await api.create('/networks', 'network', physical);
    const port = await api.create('/ports', 'port', { network_id: network.id, qos_policy_id: id });
    const group = {
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      required: ['CUSTOM_PHYSNET_PHYSNET1', 'CUSTOM_VNIC_TYPE_NORMAL'],
      resources: { NET_BW_EGR_KILOBIT_PER_SEC: 1000 },
    };
    const request = { request_groups: [group], same_subtree: [group.id] };
    expect(port.resource_request).toEqual(request);
    const shown = async () => (await api.ask('GET', `/ports/${port.id}`)).json.port;
    expect((await shown()).resource_request).toEqual(port.resource_request);
    await api.ask('PUT', `/ports/${port.id}`, { port: { qos_policy_id: null } });
    expect((await shown()).resource_request).toBeNull();
  });

  test('of the policy of a network apply to its ports, but to those of its services', async () => {
    const { id } = await policyWith('minimum_packet_rate_rule', { min_kpps: 5, direction: 'any' });
    const network = await api.create('/networks', 'network', { qos_policy_id: id });
    const port = await api.create('/ports', 'port', { network_id: network.id });
    expect(port.resource_request.request_groups).toMatchObject([
      { required: ['CUSTOM_VNIC_TYPE_NORMAL'], resources: { NET_PACKET_RATE_KILOPACKET_PER_SEC: 5 } },
    ]);
    const own = await api.create('/ports', 'port', { network_id: network.id, device_owner: 'network:dhcp' });
    expect(own.resource_request).toBeNull();
  });

  test('that nothing can give are refused: for ports, for networks, and for rules of policies that ports have', async () => {
    const { id } = await policyWith('minimum_bandwidth_rule', { min_kbps: 1000 });
    const network = await api.create('/networks', 'network', {});
    const port = await api.create('/ports', 'port', { network_id: network.id });
    const changed = await api.ask('PUT', `/ports/${port.id}`, { port: { qos_policy_id: id } });
    expect(changed).toMatchObject({ status: 409, type: 'QosRuleNotSupported' });
    const wanted = { network_id: network.id, qos_policy_id: id };
    expect((await api.ask('POST', '/ports', { port: wanted })).type).toBe('QosRuleNotSupported');
    const onNetwork = await api.ask('PUT', `/networks/${network.id}`, { network: { qos_policy_id: id } });
    expect(onNetwork).toMatchObject({ status: 409, type: 'QosRuleNotSupportedByNetwork' });
    const policy = await api.create('/qos/policies', 'policy', { name: 'empty' });
    await api.ask('PUT', `/ports/${port.id}`, { port: { qos_policy_id: policy.id } });
    const rule = { minimum_bandwidth_rule: { min_kbps: 1 } };
    const added = await api.ask('POST', `/qos/policies/${policy.id}/minimum_bandwidth_rules`, rule);
    expect(added).toMatchObject({ status: 409, type: 'QosRuleNotSupported' });
  });
});
