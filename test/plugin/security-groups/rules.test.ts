import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SECURITY_GROUP } from '../../../src/resources/security-group.ts';
import { ADMIN, memberOf } from '../../support/core.ts';
import { createGroupWorld, type GroupWorld, rulesOf } from './world.ts';

let world: GroupWorld;
let group: string;
beforeEach(async () => {
  world = await createGroupWorld({ quotas: { quota_security_group_rule: 1000 } });
  group = (await world.group({ name: 'g' })).id;
});
afterEach(() => world.close());

const NONE = '99999999-9999-9999-9999-999999999999';
const revision = async () => (await world.services.of('security_group').show(ADMIN, group)).revision_number;

describe('a security group rule', () => {
  test('has exactly the attributes of the API reference', async () => {
    const made = await world.rule(group, {
      protocol: 'TCP',
      port_range_min: '80',
      port_range_max: 81,
      remote_ip_prefix: '10.0.0.1/8',
    });
    expect(made).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      ...{ project_id: 'p1', tenant_id: 'p1', security_group_id: group, direction: 'ingress', ethertype: 'IPv4' },
      ...{ protocol: 'tcp', port_range_min: 80, port_range_max: 81, description: '' },
      ...{ remote_ip_prefix: '10.0.0.1/8', normalized_cidr: '10.0.0.0/8' },
      ...{ remote_group_id: null, remote_address_group_id: null, revision_number: 0 },
      ...{ created_at: expect.stringMatching(/Z$/), updated_at: expect.stringMatching(/Z$/) },
    });
    expect(await world.services.of('security_group_rule').show(ADMIN, made.id)).toEqual(made);
    const inGroup = rulesOf(await world.services.of('security_group').show(ADMIN, group));
    expect(inGroup).toContainEqual({ ...made, standard_attr_id: expect.any(Number), tags: [] });
  });

  test.each([
    [{ protocol: 6, port_range_min: 1, port_range_max: 1 }, { protocol: '6' }],
    [{ protocol: '017' }, { protocol: '17' }],
    [
      { protocol: 'ICMPv6', ethertype: 'ipv6' },
      { protocol: 'ipv6-icmp', ethertype: 'IPv6' },
    ],
    [{ protocol: 'icmp', ethertype: 'IPv6' }, { protocol: 'ipv6-icmp' }],
    [{ protocol: '1', ethertype: 'IPv6' }, { protocol: '58' }],
    [
      { protocol: 'tcp', port_range_min: 1, port_range_max: 65535 },
      { port_range_min: null, port_range_max: null },
    ],
    [
      { protocol: 'icmp', port_range_min: 8, port_range_max: 0 },
      { port_range_min: 8, port_range_max: 0 },
    ],
    [
      { protocol: 'icmp', port_range_min: 0 },
      { port_range_min: 0, port_range_max: null },
    ],
    [{ remote_ip_prefix: '10.0.0.1' }, { remote_ip_prefix: '10.0.0.1/32', normalized_cidr: '10.0.0.1/32' }],
    [
      { remote_ip_prefix: 'FD00::1/8', ethertype: 'IPv6' },
      { remote_ip_prefix: 'fd00::1/8', normalized_cidr: 'fd00::/8' },
    ],
    [{ remote_ip_prefix: '' }, { remote_ip_prefix: null, normalized_cidr: null }],
    [{ protocol: 'vrrp' }, { protocol: 'vrrp' }],
    [{ protocol: 'ipv6-route', ethertype: 'IPv6' }, { protocol: 'ipv6-route' }],
  ])('%j is stored as %j', async (values, stored) => {
    expect(await world.rule(group, values)).toMatchObject(stored);
  });

  // CVE-2019-9735, CVE-2018-14635, CVE-2019-10876: what no agent could enforce never reaches one.
  test.each([
    [{ protocol: 'nope' }, 'SecurityGroupRuleInvalidProtocol'],
    [{ protocol: 256 }, 'SecurityGroupRuleInvalidProtocol'],
    [{ protocol: -1 }, 'SecurityGroupRuleInvalidProtocol'],
    [{ protocol: 6.5 }, 'SecurityGroupRuleInvalidProtocol'],
    [{ protocol: true }, 'SecurityGroupRuleInvalidProtocol'],
    [{ protocol: 'tcp\n-j ACCEPT' }, 'SecurityGroupRuleInvalidProtocol'],
    [{ protocol: '__proto__' }, 'SecurityGroupRuleInvalidProtocol'],
    [{ ethertype: 'IPX' }, 'SecurityGroupRuleInvalidEtherType'],
    [{ ethertype: null }, 'SecurityGroupRuleInvalidEtherType'],
    [{ direction: 'up' }, 'HTTPBadRequest'],
    [{ port_range_min: 90, port_range_max: 90 }, 'SecurityGroupProtocolRequiredWithPorts'],
    [{ protocol: 'vrrp', port_range_min: 90, port_range_max: 90 }, 'SecurityGroupInvalidProtocolForPort'],
    [{ protocol: '112', port_range_min: 90, port_range_max: 90 }, 'SecurityGroupInvalidProtocolForPort'],
    [{ protocol: 'tcp', port_range_min: 90, port_range_max: 80 }, 'SecurityGroupInvalidPortRange'],
    [{ protocol: 'tcp', port_range_min: 90 }, 'SecurityGroupInvalidPortRange'],
    [{ protocol: 'udp', port_range_max: 90 }, 'SecurityGroupInvalidPortRange'],
    [{ protocol: 'tcp', port_range_min: 0, port_range_max: 80 }, 'SecurityGroupInvalidPortValue'],
    [{ protocol: 'tcp', port_range_min: 70000, port_range_max: 70000 }, 'SecurityGroupInvalidPortValue'],
    [{ protocol: 'tcp', port_range_min: '80:443', port_range_max: 90 }, 'SecurityGroupInvalidPortValue'],
    [{ protocol: 'tcp', port_range_min: 80.5, port_range_max: 90 }, 'SecurityGroupInvalidPortValue'],
    [{ protocol: 'icmp', port_range_min: 256 }, 'SecurityGroupInvalidIcmpValue'],
    [{ protocol: 'icmp', port_range_min: 8, port_range_max: 256 }, 'SecurityGroupInvalidIcmpValue'],
    [{ protocol: 'icmp', port_range_max: 0 }, 'SecurityGroupMissingIcmpType'],
    [{ remote_ip_prefix: 'x' }, 'InvalidCIDR'],
    [{ remote_ip_prefix: '10.0.0.0/33' }, 'InvalidCIDR'],
    [{ remote_ip_prefix: 5 }, 'InvalidCIDR'],
    [{ remote_ip_prefix: 'fd00::/8' }, 'SecurityGroupRuleParameterConflict'],
    [{ remote_ip_prefix: '::/0', ethertype: 'IPv4' }, 'SecurityGroupRuleParameterConflict'],
    [{ protocol: 'ipv6-icmp' }, 'SecurityGroupEthertypeConflictWithProtocol'],
    [{ protocol: '58' }, 'SecurityGroupEthertypeConflictWithProtocol'],
    [{ remote_group_id: NONE }, 'SecurityGroupNotFound'],
    [{ remote_address_group_id: NONE }, 'AddressGroupNotFound'],
    [{ security_group_id: NONE }, 'SecurityGroupNotFound'],
    [{ remote_ip_prefix: '10.0.0.0/8', remote_group_id: NONE }, 'SecurityGroupMultipleRemoteEntites'],
    [{ remote_group_id: NONE, remote_address_group_id: NONE }, 'SecurityGroupMultipleRemoteEntites'],
    [{ remote_group_id: 'x'.repeat(37) }, 'HTTPBadRequest'],
    [{ description: 'x'.repeat(256) }, 'HTTPBadRequest'],
    [{ belongs_to_default_sg: true }, 'HTTPBadRequest'],
    [{ rule_key: 'x' }, 'HTTPBadRequest'],
  ])('%j is rejected with %s', async (values, type) => {
    const before = [await world.count('securitygrouprules'), await world.count('standardattributes'), await revision()];
    await expect(world.rule(group, values)).rejects.toMatchObject({ type });
    expect([
      await world.count('securitygrouprules'),
      await world.count('standardattributes'),
      await revision(),
    ]).toEqual(before);
  });

  test.each([
    [{ port_range_min: 1, port_range_max: 256 }, 'Invalid value for ICMP code'],
    [{ port_range_min: 300, port_range_max: 1 }, 'Invalid value for ICMP type'],
    [{ port_range_max: 6 }, 'ICMP type (port-range-min) is missing'],
  ])('an ICMP rule with %j is rejected in the words that tempest looks for', async (values, words) => {
    await expect(world.rule(group, { protocol: 'icmp', ...values })).rejects.toThrow(words);
  });

  test('exists once in its group, whatever its protocol and prefix are called', async () => {
    const twin = async (first: object, second: object) => {
      const made = await world.rule(group, first);
      await expect(world.rule(group, second)).rejects.toMatchObject({
        type: 'SecurityGroupRuleExists',
        status: 409,
        message: expect.stringContaining(made.id),
      });
    };
    await twin({ protocol: 'tcp' }, { protocol: '6', description: 'other' });
    await twin({}, { remote_ip_prefix: '0.0.0.0/0' });
    await twin(
      { protocol: 'icmp', ethertype: 'IPv6' },
      { protocol: '58', ethertype: 'IPv6', remote_ip_prefix: '::/0' },
    );
    await twin(
      { protocol: 'tcp', port_range_min: 5, port_range_max: 5 },
      { protocol: 'TCP', port_range_min: '5', port_range_max: 5 },
    );
    await world.rule(group, { protocol: 'hopopt' });
    await world.rule(group, { protocol: 'ip' });
    await world.rule(group, { remote_ip_prefix: '10.0.0.1/8' });
    await world.rule(group, { remote_ip_prefix: '10.0.0.2/8' });
  });

  test('exists once when many create it at once', async () => {
    const tries = await Promise.allSettled(Array.from({ length: 8 }, () => world.rule(group, { protocol: 'udp' })));
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of tries)
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ type: 'SecurityGroupRuleExists' });
  });

  test('changes the revision of its group when it comes and goes', async () => {
    expect(await revision()).toBe(1);
    const { id } = await world.rule(group);
    expect(await revision()).toBe(2);
    const rules = world.services.of('security_group_rule');
    await expect(rules.delete(ADMIN, id, 7)).rejects.toMatchObject({ type: 'RevisionNumberConstraintFailed' });
    await rules.delete(ADMIN, id, 0);
    expect(await revision()).toBe(3);
    await expect(rules.delete(ADMIN, id)).rejects.toMatchObject({ type: 'SecurityGroupRuleNotFound', status: 404 });
  });

  test.each(['protocol', 'description', 'security_group_id'])('keeps its %s', async (name) => {
    const { id } = await world.rule(group);
    await expect(world.services.of('security_group_rule').update(ADMIN, id, { [name]: 'udp' })).rejects.toMatchObject({
      type: 'HTTPBadRequest',
      message: `Cannot update read-only attribute ${name}`,
    });
  });

  test('is created with others of its group and project, or none of them is', async () => {
    const rules = world.services.of('security_group_rule');
    const base = { security_group_id: group, direction: 'ingress' };
    const other = (await world.group()).id;
    const before = await world.count('securitygrouprules');
    const refused: readonly (readonly [readonly object[], string])[] = [
      [[{ ...base }, { ...base, security_group_id: other }], 'SecurityGroupNotSingleGroupRules'],
      [[{ ...base }, { ...base, protocol: 'tcp', project_id: 'p9' }], 'SecurityGroupRulesNotSingleTenant'],
      [
        [
          { ...base, protocol: 'tcp' },
          { ...base, protocol: '6' },
        ],
        'DuplicateSecurityGroupRuleInPost',
      ],
      [
        [
          { ...base, protocol: 'udp' },
          { ...base, direction: 'egress' },
        ],
        'SecurityGroupRuleExists',
      ],
    ];
    for (const [items, type] of refused) await expect(rules.create(ADMIN, items)).rejects.toMatchObject({ type });
    expect(await world.count('securitygrouprules')).toBe(before);
    expect(await rules.create(ADMIN, [{ ...base }, { ...base, protocol: 'tcp' }])).toHaveLength(2);
  });

  test('counts against its quota', async () => {
    await world.close();
    world = await createGroupWorld({ quotas: { quota_security_group_rule: 7 } });
    const { id } = await world.group();
    await world.rule(id);
    await expect(world.rule(id, { protocol: 'tcp' })).rejects.toMatchObject({ type: 'OverQuota', status: 409 });
  });

  test('is listed by what it matches', async () => {
    const wanted = await world.rule(group, {
      protocol: 'tcp',
      port_range_min: 22,
      port_range_max: 22,
      remote_ip_prefix: '10.1.2.3/16',
    });
    const ids = async (filters: Record<string, string[]>) =>
      (await world.list('security_group_rule', ADMIN, { security_group_id: [group], ...filters })).map(({ id }) => id);
    for (const filters of [
      { protocol: ['TCP'] },
      { port_range_min: ['22'] },
      { normalized_cidr: ['10.1.0.0/16'] },
      { remote_ip_prefix: ['10.1.2.3/16'] },
      { direction: ['ingress'], ethertype: ['ipv4'] },
    ])
      expect(await ids(filters)).toEqual([wanted.id]);
    expect(await ids({ belongs_to_default_sg: ['true'] })).toEqual([]);
    expect(await ids({ belongs_to_default_sg: ['false'] })).toHaveLength(3);
    expect(await world.list('security_group_rule', ADMIN, { belongs_to_default_sg: ['True'] })).toHaveLength(4);
  });
});

describe('rules of other projects', () => {
  const [P2, P3] = [memberOf('p2'), memberOf('p3')];
  const rules = () => world.services.of('security_group_rule');

  test('are neither shown nor deleted, nor is it told that they exist (OSSN-0102)', async () => {
    const { id } = await world.rule(group);
    for (const asked of [id, NONE]) {
      await expect(rules().show(P2, asked)).rejects.toMatchObject({ type: 'HTTPNotFound', status: 404 });
      await expect(rules().delete(P2, asked)).rejects.toMatchObject({ type: 'HTTPNotFound' });
    }
    expect((await world.list('security_group_rule', P2)).map(({ project_id }) => project_id)).toEqual(
      Array(4).fill('p2'),
    );
    expect(await rules().show(ADMIN, id)).toMatchObject({ id });
  });

  test("cannot be added to another's group, even to one that is shared", async () => {
    await expect(world.rule(group, {}, P2)).rejects.toMatchObject({ type: 'SecurityGroupNotFound' });
    await world.share(SECURITY_GROUP, group, 'p2');
    await expect(world.rule(group, {}, P2)).rejects.toMatchObject({ type: 'PolicyNotAuthorized', status: 403 });
    // The shared group is usable as the other side.
    const own = (await world.group({}, P2)).id;
    expect(await world.rule(own, { remote_group_id: group }, P2)).toMatchObject({ remote_group_id: group });
    const third = (await world.group({}, P3)).id;
    await expect(world.rule(third, { remote_group_id: group }, P3)).rejects.toMatchObject({
      type: 'SecurityGroupNotFound',
    });
  });

  test('in a group of one’s own are seen, but only administrators delete them', async () => {
    const own = (await world.group({}, P2)).id;
    const { id } = await world.rule(own, { protocol: 'tcp' });
    expect(await rules().show(P2, id)).toMatchObject({ project_id: 'p1' });
    await expect(rules().delete(P2, id)).rejects.toMatchObject({ type: 'PolicyNotAuthorized', status: 403 });
  });
});
