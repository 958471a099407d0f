import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { allOptions, defaultConfig, findOption } from '../../src/config/options.ts';
import { ConfigError, parseOption } from '../../src/config/parse.ts';

describe('parseOption', () => {
  it('returns numbers, booleans, lists and strings in their types', () => {
    expect(parseOption('DEFAULT', 'bind_port', ' 9700 ')).toBe(9700);
    expect(parseOption('DEFAULT', 'dhcp_lease_duration', '-1')).toBe(-1);
    expect(parseOption('agent', 'report_interval', '0.5')).toBe(0.5);
    for (const text of ['true', 'True', '1', 'on', 'YES']) expect(parseOption('DEFAULT', 'debug', text)).toBe(true);
    for (const text of ['false', 'False', '0', 'off', 'no']) expect(parseOption('DEFAULT', 'debug', text)).toBe(false);
    expect(parseOption('ml2', 'type_drivers', 'flat, vlan ,,vxlan')).toEqual(['flat', 'vlan', 'vxlan']);
    expect(parseOption('ml2', 'tenant_network_types', '')).toEqual([]);
    expect(parseOption('DEFAULT', 'dns_domain', '')).toBe('');
  });

  it.each([
    ['bind_port', '70000', 'a whole number from 0 to 65535'],
    ['bind_port', '96x', 'a whole number from 0 to 65535'],
    ['bind_port', '', 'a whole number from 0 to 65535'],
    ['num_sync_threads', '0', 'a whole number from 1 to 64'],
    ['dhcp_agents_per_network', '1.5', 'a whole number, at least 1'],
    ['debug', 'maybe', 'true or false'],
    ['base_mac', 'fa:16', 'six bytes such as fa:16:3e:00:00:00'],
    ['host', 'a b', 'letters, digits, dot, hyphen and underscore'],
    ['dns_domain', 'a\nb', 'a domain name such as example.org'],
    ['dnsmasq_config_file', '/etc/a\nb', 'one line without control characters'],
    ['dhcp_driver', 'neutron.agent.linux.dhcp.Kea', 'dnsmasq or neutron.agent.linux.dhcp.Dnsmasq'],
    ['pagination_max_limit', 'many', 'a whole number or infinite'],
  ])('refuses %s = %j and says that it must be %s', (name, text, wanted) => {
    const parse = () => parseOption('DEFAULT', name, text, 'neutron.conf:7');
    expect(parse).toThrow(ConfigError);
    expect(parse).toThrow(`[DEFAULT] ${name} = ${JSON.stringify(text)} (neutron.conf:7): must be ${wanted}`);
  });

  it('names the invalid item of a list', () => {
    expect(() => parseOption('ml2_type_vlan', 'network_vlan_ranges', 'physnet1:100:199,physnet2:a:b')).toThrow(
      'must be a list of ranges such as physnet1:100:199, separated by commas, not "physnet2:a:b"',
    );
    expect(parseOption('ml2_type_vlan', 'network_vlan_ranges', 'physnet1:100:199,physnet2')).toHaveLength(2);
  });

  it("converts Neutron's dotted paths of drivers into short names", () => {
    const scheduler = (name: string) => parseOption('DEFAULT', 'network_scheduler_driver', name);
    expect(scheduler('neutron.scheduler.dhcp_agent_scheduler.ChanceScheduler')).toBe('chance');
    expect(scheduler('neutron.scheduler.dhcp_agent_scheduler.WeightScheduler')).toBe('weight');
    expect(scheduler('neutron.scheduler.dhcp_agent_scheduler.AZAwareWeightScheduler')).toBe('az_weight');
    expect(scheduler('weight')).toBe('weight');
    expect(parseOption('DEFAULT', 'dhcp_driver', 'neutron.agent.linux.dhcp.Dnsmasq')).toBe('dnsmasq');
    expect(parseOption('DEFAULT', 'interface_driver', 'neutron.agent.linux.interface.BridgeInterfaceDriver')).toBe(
      'linuxbridge',
    );
  });

  it('makes paths absolute, except for empty ones', () => {
    expect(parseOption('DEFAULT', 'state_path', 'state')).toBe(resolve('state'));
    expect(parseOption('DEFAULT', 'dnsmasq_config_file', '')).toBe('');
  });

  it('rejects unknown options', () => {
    expect(() => parseOption('DEFAULT', 'bind_prot', '1')).toThrow('[DEFAULT] bind_prot: no such option');
  });
});

describe('the table of options', () => {
  it('finds options by section in any case, with hyphens, and by former names', () => {
    expect(findOption('AGENT', 'report-interval')).toMatchObject({ section: 'agent', name: 'report_interval' });
    expect(findOption('ml2', 'project_network_types')?.name).toBe('tenant_network_types');
    expect(findOption('default', 'debug')).toBeUndefined();
  });

  it('has only valid defaults', () => {
    for (const { section, name, option } of allOptions()) {
      const text = Array.isArray(option.default) ? option.default.join(',') : String(option.default);
      expect(() => parseOption(section, name, text)).not.toThrow();
    }
  });

  it('inserts the state path into defaults', () => {
    const { DEFAULT } = defaultConfig();
    expect(DEFAULT.dhcp_confs).toBe(`${DEFAULT.state_path}/dhcp`);
  });
});
