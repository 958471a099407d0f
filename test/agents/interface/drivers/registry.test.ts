import { describe, expect, test } from 'vitest';
import { INTERFACE_DRIVERS, interfaceDriverKind } from '../../../../src/agents/interface/drivers/registry.ts';
import { defaultConfig, OPTIONS } from '../../../../src/config/options.ts';
import { parseOption } from '../../../../src/config/parse.ts';

const configOf = (interface_driver: string) => ({ DEFAULT: { ...defaultConfig().DEFAULT, interface_driver } });

describe('the registry of interface drivers', () => {
  test('has the drivers that the option interface_driver accepts, no other', () => {
    const { type } = OPTIONS.DEFAULT.interface_driver;
    const choices = type.kind === 'string' ? [...(type.choices ?? [])] : [];
    expect(INTERFACE_DRIVERS.map(({ name }) => name).sort()).toEqual(choices.sort());
    expect(interfaceDriverKind(defaultConfig()).name).toBe('linuxbridge');
  });

  test.each([
    ['neutron.agent.linux.interface.BridgeInterfaceDriver', 'linuxbridge'],
    ['neutron.agent.linux.interface.OVSInterfaceDriver', 'openvswitch'],
  ])("finds drivers under Neutron's spelling too: %s", (path, name) => {
    const text = parseOption('DEFAULT', 'interface_driver', path);
    expect(interfaceDriverKind(configOf(text)).name).toBe(name);
  });

  test('refuses an unknown driver, with those that exist', () => {
    expect(() => interfaceDriverKind(configOf('macvtap'))).toThrow(
      /"macvtap": must be one of linuxbridge, openvswitch$/,
    );
    expect(() => parseOption('DEFAULT', 'interface_driver', 'macvtap')).toThrow(/must be .*linuxbridge/);
  });
});
