import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { FIREWALLS, firewallKind, STOCK_FIREWALLS } from '../../../../src/agents/firewall/drivers/registry.ts';
import { defaultConfig, OPTIONS } from '../../../../src/config/options.ts';
import { parseOption } from '../../../../src/config/parse.ts';

describe('the registry of firewalls', () => {
  const lines: string[] = [];
  const log = pino({}, { write: (line: string) => lines.push(line) });
  const find = (text: string) => {
    lines.length = 0;
    return firewallKind({ securitygroup: { firewall_driver: text } }, log).name;
  };

  test('has the firewalls that the option firewall_driver accepts, except for those of Neutron', () => {
    const { type } = OPTIONS.securitygroup.firewall_driver;
    const choices = type.kind === 'string' ? [...(type.choices ?? [])] : [];
    expect([...FIREWALLS.map(({ name }) => name), ...STOCK_FIREWALLS].sort()).toEqual(choices.sort());
    expect(firewallKind(defaultConfig(), log).name).toBe('noop');
  });

  test("finds noop under Neutron's spelling too, without a warning", () => {
    expect(find(parseOption('securitygroup', 'firewall_driver', 'neutron.agent.firewall.NoopFirewallDriver'))).toBe(
      'noop',
    );
    expect(lines).toEqual([]);
  });

  test('warns that ports are not filtered when it is asked for one that only Neutron has', () => {
    expect(find('iptables')).toBe('noop');
    expect(lines.join()).toContain('firewall_driver = iptables exists only in Neutron: ports are not filtered');
  });

  test('refuses an unknown firewall, with those that exist', () => {
    expect(() => find('pf')).toThrow(/firewall_driver = "pf": must be one of noop, nftables$/);
    expect(() => parseOption('securitygroup', 'firewall_driver', 'pf')).toThrow(/must be .*noop/);
  });
});
