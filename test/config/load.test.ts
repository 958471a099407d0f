import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { explainConfig, loadConfig } from '../../src/config/load.ts';
import { allOptions, defaultConfig } from '../../src/config/options.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'neutrino-config-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string, text: string) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

describe('loadConfig', () => {
  it('returns the defaults without inputs', () => {
    const { config, warnings, sources } = loadConfig({});
    expect(config).toEqual(defaultConfig());
    expect(warnings).toEqual([]);
    expect(sources.get('DEFAULT.bind_port')).toEqual({ kind: 'default' });
  });

  it('lets later files override earlier ones, the environment files, and flags everything', () => {
    const a = file('a.conf', '[DEFAULT]\nbind_port = 1\ndns_domain = a.org\ndebug = true\nhost = a\nhost = b\n');
    const b = file('b.conf', '[DEFAULT]\nbind_port = 2\ndns_domain = b.org\n[AGENT]\nreport_interval = 3\n');
    const { config, sources } = loadConfig({
      files: [a, b],
      env: { OS_DEFAULT__BIND_PORT: '3', OS_AGENT__AVAILABILITY_ZONE: 'az1', PATH: '/bin', OS_CLOUD: 'x' },
      flags: { '--bind-port': '4' },
    });
    expect(config.DEFAULT).toMatchObject({ bind_port: 4, dns_domain: 'b.org', debug: true, host: 'b' });
    expect(config.agent).toEqual({ l2_driver: 'linuxbridge', report_interval: 3, availability_zone: 'az1' });
    expect(sources.get('DEFAULT.bind_port')).toEqual({ kind: 'flag', flag: '--bind-port' });
    expect(sources.get('DEFAULT.dns_domain')).toEqual({ kind: 'file', file: b, line: 3 });
    expect(sources.get('DEFAULT.host')).toEqual({ kind: 'file', file: a, line: 6 });
    expect(sources.get('agent.availability_zone')).toEqual({
      kind: 'environment',
      variable: 'OS_AGENT__AVAILABILITY_ZONE',
    });
    const without = loadConfig({ files: [a, b], env: { OS_DEFAULT__BIND_PORT: '3' } });
    expect(without.config.DEFAULT.bind_port).toBe(3);
  });

  it('resolves references to other options, wherever those are set', () => {
    const a = file(
      'a.conf',
      `[DEFAULT]\ndnsmasq_base_log_dir = $\{state_path}/log\n[database]\nconnection = x://p$$w@$host\n`,
    );
    const { config } = loadConfig({ files: [a], flags: { '--state-path': '/srv/n', '--host': 'node1' } });
    expect(config.DEFAULT.dhcp_confs).toBe('/srv/n/dhcp');
    expect(config.DEFAULT.dnsmasq_base_log_dir).toBe('/srv/n/log');
    expect(config.database.connection).toBe('x://p$w@node1');
  });

  it('rejects references to unknown options and circular ones', () => {
    const nothing = file('a.conf', '[database]\nconnection = x://p$w@h\n');
    expect(() => loadConfig({ files: [nothing] })).toThrow(
      /\[database\] connection \(.*a\.conf:2\).*\$w is not an option/,
    );
    const circle = file('b.conf', '[DEFAULT]\nstate_path = $dhcp_confs\n');
    expect(() => loadConfig({ files: [circle] })).toThrow('refers to itself');
  });

  it('names the source of an invalid value', () => {
    const a = file('a.conf', '[DEFAULT]\n\nbind_port = 70000\n');
    expect(() => loadConfig({ files: [a] })).toThrow(`[DEFAULT] bind_port = "70000" (${a}:3): must be a whole number`);
    expect(() => loadConfig({ env: { OS_DEFAULT__DEBUG: 'x' } })).toThrow('(environment OS_DEFAULT__DEBUG)');
    expect(() => loadConfig({ flags: { '--bind-port': 'x' } })).toThrow('(--bind-port)');
    expect(() => loadConfig({ files: [join(folder, 'none')] })).toThrow(/none: no such file/);
    expect(() => loadConfig({ flags: { '--prot': 'x' } })).toThrow('--prot: no such flag');
  });

  it('names options that only Neutron supports in one warning, and suggests the correct name of a misspelt option', () => {
    const a = file(
      'a.conf',
      '[DEFAULT]\ncore_plugin = ml2\nbind_prot = 1\nquux = 2\n[octavia]\nany = 1\n[nope]\nx=1\n',
    );
    const { warnings } = loadConfig({ files: [a], env: { OS_ML2__OVERLAY_IP_VERSION: '4' } });
    expect(warnings).toEqual([
      'a.conf: Neutron options without effect in Neutrino: [DEFAULT] core_plugin, [octavia] any',
      'environment: Neutron options without effect in Neutrino: [ml2] overlay_ip_version',
      `${a}:3: [DEFAULT] bind_prot: no such option; did you mean [DEFAULT] bind_port?`,
      `${a}:4: [DEFAULT] quux: no such option`,
      `${a}:8: [nope] x: no such option`,
    ]);
  });

  it('reads [keystone_authtoken] as stock files have it, under its older names too', () => {
    const section = [
      'auth_uri = http://ks.example.org:5000',
      'identity_uri = http://ks:5000/v3',
      'auth_type = v3password',
      'username = neutron',
      'password = secret',
      'tenant_name = service',
      'memcached_servers = ks:11211',
      'delay_auth_decision = true',
    ];
    const loaded = loadConfig({ files: [file('ks.conf', `[keystone_authtoken]\n${section.join('\n')}\n`)] });
    expect(loaded.config.keystone_authtoken).toMatchObject({
      www_authenticate_uri: 'http://ks.example.org:5000',
      auth_url: 'http://ks:5000/v3',
      auth_type: 'password',
      project_name: 'service',
      password: 'secret',
    });
    expect(loaded.warnings).toEqual([
      'ks.conf: Neutron options without effect in Neutrino: ' +
        '[keystone_authtoken] memcached_servers, [keystone_authtoken] delay_auth_decision',
    ]);
    const shown = explainConfig(loaded).filter(({ name }) => name === 'password');
    expect(shown.map(({ section, value }) => [section, value])).toEqual([
      ['keystone_authtoken', '***'],
      ['nova', ''],
    ]);
    expect(() => loadConfig({ env: { OS_KEYSTONE_AUTHTOKEN__PASSWORD: 'sec\x07ret' } })).toThrow('password = ***');
  });

  it('loads the configuration of the captured REST exchanges', () => {
    const { config, warnings } = loadConfig({ files: ['test/fixtures/config/neutron.conf'] });
    expect(config.ml2.type_drivers).toEqual(['flat', 'vlan', 'vxlan', 'local']);
    expect(config.ml2_type_vlan.network_vlan_ranges).toEqual(['physnet1:100:199']);
    expect(config.ml2_type_vxlan.vni_ranges).toEqual(['1:10000']);
    expect(config.ml2.mechanism_drivers).toEqual(['linuxbridge', 'l2population']);
    expect(warnings).toEqual(['neutron.conf: Neutron options without effect in Neutrino: [DEFAULT] core_plugin']);
  });
});

describe('explainConfig', () => {
  it('returns every option with its value and source', () => {
    const rows = explainConfig(loadConfig({ flags: { '--bind-port': '1' } }));
    expect(rows).toHaveLength(allOptions().length);
    expect(rows).toContainEqual({ section: 'DEFAULT', name: 'bind_port', value: 1, source: '--bind-port' });
    expect(rows).toContainEqual({ section: 'DEFAULT', name: 'debug', value: false, source: 'default' });
  });
});
