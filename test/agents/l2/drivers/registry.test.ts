import { describe, expect, test } from 'vitest';
import { L2_DRIVERS, l2DriverKind } from '../../../../src/agents/l2/drivers/registry.ts';
import { defaultConfig, OPTIONS } from '../../../../src/config/options.ts';
import { parseOption } from '../../../../src/config/parse.ts';

describe('the registry of L2 drivers', () => {
  test('has the drivers that the option l2_driver accepts, no other', () => {
    const { type } = OPTIONS.agent.l2_driver;
    const choices = type.kind === 'string' ? [...(type.choices ?? [])] : [];
    expect(L2_DRIVERS.map(({ name }) => name).sort()).toEqual(choices.sort());
    expect(l2DriverKind(defaultConfig()).name).toBe('linuxbridge');
  });

  test('refuses an unknown driver, with those that exist', () => {
    const { agent } = defaultConfig();
    expect(() => l2DriverKind({ agent: { ...agent, l2_driver: 'ovs' } })).toThrow(/"ovs": must be one of linuxbridge$/);
    expect(() => parseOption('agent', 'l2_driver', 'ovs')).toThrow(/must be .*linuxbridge/);
  });
});
