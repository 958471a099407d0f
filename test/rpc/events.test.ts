import { expect, it } from 'vitest';
import { type AgentEvent, EVENTS } from '../../src/rpc/events.ts';

it('every event of the catalogue has the name that it stands under', () => {
  for (const [name, event] of Object.entries(EVENTS)) expect(event.name).toBe(name);
});

it.each([
  [EVENTS.port_create_end, { port: { device_owner: 'compute:nova' } }, true],
  [EVENTS.port_create_end, { port: { device_owner: '' } }, true],
  [EVENTS.port_create_end, { port: { device_owner: 'network:dhcp' } }, false],
  [EVENTS.port_update_end, { port: { device_owner: 'compute:nova' } }, false],
  [EVENTS.subnet_create_end, { subnet: { enable_dhcp: true } }, true],
  [EVENTS.subnet_create_end, { subnet: { enable_dhcp: false } }, false],
  [EVENTS.subnet_update_end, { subnet: { enable_dhcp: true } }, true],
  [EVENTS.network_update_end, { network: {} }, false],
  [EVENTS.subnet_delete_end, {}, false],
] as readonly (readonly [AgentEvent, Record<string, unknown>, boolean])[])(
  '$name of %j shows that the network needs an agent: %s',
  (event, payload, needs) => {
    expect(event.needsAgent?.(payload) ?? false).toBe(needs);
  },
);
