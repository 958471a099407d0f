import { describe, expect, test } from 'vitest';
import { DHCP_DRIVERS, dhcpDriverKind } from '../../../../src/agents/dhcp/drivers/registry.ts';
import { defaultConfig, OPTIONS } from '../../../../src/config/options.ts';
import { parseOption } from '../../../../src/config/parse.ts';

const withDriver = (dhcp_driver: string) => {
  const defaults = defaultConfig();
  return { ...defaults, DEFAULT: { ...defaults.DEFAULT, dhcp_driver } };
};

describe('the registry of DHCP drivers', () => {
  test('has the drivers that the option dhcp_driver accepts, no other, the default among them', () => {
    const names = DHCP_DRIVERS.map(({ name }) => name);
    const { type } = OPTIONS.DEFAULT.dhcp_driver;
    expect([...names].sort()).toEqual(type.kind === 'string' ? [...(type.choices ?? [])].sort() : []);
    expect(dhcpDriverKind(defaultConfig()).name).toBe('dnsmasq');
  });

  test("finds dnsmasq under Neutron's spelling too", () => {
    const told = parseOption('DEFAULT', 'dhcp_driver', 'neutron.agent.linux.dhcp.Dnsmasq');
    expect(dhcpDriverKind(withDriver(told)).name).toBe('dnsmasq');
  });

  test('refuses an unknown driver, with those that exist', () => {
    expect(() => dhcpDriverKind(withDriver('kea'))).toThrow(/dhcp_driver = "kea": must be one of dnsmasq$/);
    expect(() => parseOption('DEFAULT', 'dhcp_driver', 'kea')).toThrow(/must be .*dnsmasq/);
  });
});
