import { describe, expect, test } from 'vitest';
import { methodAction, Policy } from '../../src/auth/policy.ts';
import { AddressAllocator } from '../../src/ipam/allocate.ts';
import { resourceModules } from '../../src/plugin/resources.ts';
import { withTags } from '../../src/plugin/tags.ts';
import { actionPolicy } from '../../src/resources/action.ts';
import { AGENT } from '../../src/resources/agent.ts';
import { NETWORK } from '../../src/resources/network.ts';
import { PORT } from '../../src/resources/port.ts';
import { ADMIN, memberOf, openCore } from '../support/core.ts';

const policy = new Policy([PORT, NETWORK, AGENT]);
const member = memberOf('p1');

describe('the policy', () => {
  test('denies unknown actions, even to administrators', () => {
    for (const action of ['', 'create_ports', 'create_nothing', 'constructor', 'update_port:nope']) {
      expect(policy.allows(ADMIN, action), action).toBe(false);
      expect(() => policy.authorize(ADMIN, action)).toThrow(`${action} is disallowed by policy`);
    }
  });

  test('lets owners change their own resources, and administrators all', () => {
    expect(policy.allows(member, 'update_port', { project_id: 'p1' })).toBe(true);
    expect(policy.allows(member, 'update_port', { project_id: 'p2' })).toBe(false);
    expect(policy.allows(member, 'update_port')).toBe(false);
    expect(policy.allows(ADMIN, 'update_port', { project_id: 'p2' })).toBe(true);
  });

  test('restricts operator resources to administrators', () => {
    for (const action of ['get_agent', 'update_agent', 'delete_agent', 'create_dhcp-network', 'get_dhcp-agents']) {
      expect(policy.allows(member, action, { project_id: 'p1' }), action).toBe(false);
      expect(policy.allows(ADMIN, action), action).toBe(true);
    }
  });

  test('decides on attributes once per request, not per row', () => {
    expect(policy.hidden(member, PORT)).toEqual(
      expect.arrayContaining(['binding:host_id', 'binding:profile', 'binding:vif_type', 'binding:vif_details']),
    );
    expect(policy.hidden(ADMIN, PORT)).toEqual([]);
    expect(policy.attributeActions(NETWORK, 'create', { name: 'n', admin_state_up: false })).toEqual([]);
    expect(policy.attributeActions(NETWORK, 'create', { name: 'n', shared: true })).toEqual(['create_network:shared']);
    expect(policy.allows(member, 'create_network:shared', { project_id: 'p1' })).toBe(false);
  });

  test('has a rule for every method and action of every resource that is served', async () => {
    const core = await openCore();
    try {
      const served = resourceModules(core, new AddressAllocator()).map((module) => withTags(core, module).resource);
      const { actions } = new Policy(served);
      for (const resource of served) {
        for (const method of resource.methods) expect(actions).toContain(methodAction(resource, method));
        for (const [name, action] of Object.entries(resource.actions ?? {}))
          expect(actions).toContain(actionPolicy(name, action));
      }
    } finally {
      await core.dispose();
    }
  });
});
