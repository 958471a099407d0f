import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { showConfig } from '../../src/cli/config/show.ts';
import { explainFailure } from '../../src/cli/process/failure.ts';
import { LabFailure } from '../../src/lab/failure.ts';
import { neutrino } from '../support/neutrino.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'neutrino-commands-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the command line', () => {
  it('prints its version and helps', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(await neutrino('--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
    const help = await neutrino('--help');
    expect(help.code).toBe(0);
    for (const command of ['up', 'down', 'config', 'dhcp', 'vm', 'demo']) {
      expect(help.stdout).toMatch(new RegExp(`^  ${command}( |$)`, 'm'));
    }
  });

  it("is not followed by npm's update notice when npm starts it", () => {
    expect(readFileSync('.npmrc', 'utf8')).toContain('update-notifier=false');
  });

  it('rejects unknown commands with a hint', async () => {
    const { code, stderr } = await neutrino('dwon');
    expect(code).toBe(2);
    expect(stderr).toContain("unknown command 'dwon'");
    expect(stderr).toContain('(Did you mean down?)');
    expect(stderr).toContain('neutrino --help');
  });

  it('suggests its own commands for those of other programs', async () => {
    for (const [words, hint] of [
      [
        ['status'],
        '(use "neutrino config show" for the Neutrino of a state path, "neutrino vm list" for its machines)',
      ],
      [['vm', 'rm', 'vm1', '--force'], 'use "neutrino vm delete"'],
    ] as const) {
      const { code, stderr } = await neutrino(...words);
      expect(code).toBe(2);
      expect(stderr).toContain(`unknown command '${words[0] === 'vm' ? 'rm' : 'status'}'`);
      expect(stderr).toContain(hint);
    }
    expect((await neutrino('--help')).stdout).not.toContain('status');
  });

  it('refuses to rename a host without its agents, instead of ignoring it', async () => {
    const { code, stderr } = await neutrino('up', '--no-agents', '--rename-host');
    expect(code).toBe(2);
    expect(stderr).toContain("option '--rename-host' cannot be used with option '--no-agents'");
  });

  it('reports all unknown options', async () => {
    const { code, stderr } = await neutrino('up', '--bind-prt', '1', '--hst=x', '--no-agents');
    expect(code).toBe(2);
    expect(stderr).toContain("error: unknown options '--bind-prt', '--hst'");
    expect((await neutrino('up', '--bind-prt', '1')).stderr).toContain('(Did you mean --bind-port?)');
    expect((await neutrino('vm', 'boot', '--network', 'n')).code).toBe(2);
    expect((await neutrino('up', '--bad', '--worse', '--help')).code).toBe(0);
  });
});

describe('neutrino config show', () => {
  it('prints every effective value and its source, by section', () => {
    const file = join(folder, 'neutron.conf');
    writeFileSync(file, '[DEFAULT]\nbind_port = 9700\ncore_plugin = ml2\n');
    const text = showConfig({ files: [file], env: { OS_ML2__PATH_MTU: '1400' }, flags: { '--host': 'node1' } });
    expect(text).toMatch(/^\[DEFAULT\]\nbind_host = 127\.0\.0\.1 +default\n/);
    expect(text).toMatch(new RegExp(`^bind_port = 9700 +${file}:2$`, 'm'));
    expect(text).toMatch(/^host = node1 +--host$/m);
    expect(text).toMatch(/^\[ml2\]\ntype_drivers = local,flat,vlan,vxlan +default\n/m);
    expect(text).toMatch(/^path_mtu = 1400 +environment OS_ML2__PATH_MTU$/m);
    expect(text).toContain('warning: neutron.conf: Neutron options without effect in Neutrino: [DEFAULT] core_plugin');
  });

  it('shows no passwords', () => {
    const text = showConfig({ env: { OS_DATABASE__CONNECTION: 'mysql+pymysql://neutron:geheim@db/neutron' } });
    expect(text).toContain('connection = mysql+pymysql://neutron:***@db/neutron');
    expect(text).not.toContain('geheim');
  });

  it('is a command with flags', async () => {
    const { code, stdout } = await neutrino('config', 'show', '--bind-port', '1234');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^bind_port = 1234 +--bind-port$/m);
  });
});

describe('neutrino dhcp render', () => {
  const VECTORS = 'test/fixtures/vectors/dnsmasq';

  it('prints the input of dnsmasq as JSON with the keys of the vectors', async () => {
    const [name = ''] = readdirSync(VECTORS);
    const vector = JSON.parse(readFileSync(join(VECTORS, name), 'utf8')) as {
      config: Record<string, unknown>;
      network: object;
      expected: Record<string, unknown>;
    };
    const file = join(folder, 'network.json');
    writeFileSync(file, JSON.stringify(vector.network));
    const options = Object.entries(vector.config).flatMap(([option, value]) => ['--option', `${option}=${value}`]);
    const { code, stdout } = await neutrino('dhcp', 'render', file, ...options);
    expect(code).toBe(0);
    const rendered = JSON.parse(stdout) as Record<string, unknown>;
    expect(Object.keys(rendered).sort()).toEqual(Object.keys(vector.expected).sort());
    expect(rendered.enable_dhcp).toBe(vector.expected.enable_dhcp);
  });

  it('reports an error of file or options in one line', async () => {
    const missing = await neutrino('dhcp', 'render', join(folder, 'none.json'));
    expect(missing).toMatchObject({ code: 1, stderr: `neutrino: ${join(folder, 'none.json')}: no such file\n` });
    const file = join(folder, 'network.json');
    writeFileSync(file, '{"id": ');
    expect((await neutrino('dhcp', 'render', file)).stderr).toMatch(/^neutrino: .*network\.json: not JSON: .*\n$/);
    writeFileSync(file, '{"id": "n", "subnets": [], "ports": []}');
    expect((await neutrino('dhcp', 'render', file, '--option', 'dhcp_lease_duration=x')).stderr).toBe(
      'neutrino: [DEFAULT] dhcp_lease_duration = "x" (--option): must be a whole number, at least -1\n',
    );
    expect((await neutrino('dhcp', 'render', file, '--option', 'foo')).stderr).toBe(
      'neutrino: --option "foo": must be name=value\n',
    );
  });
});

describe('explainFailure', () => {
  const failure = (more: object) => Object.assign(new Error('said'), more);

  it('explains known errors in one line', () => {
    expect(explainFailure(failure({ code: 'EADDRINUSE', syscall: 'listen', address: '::1', port: 80 }))).toMatch(
      /^::1:80 is in use by another program; .*--bind-port.*$/,
    );
    expect(explainFailure(failure({ code: 'EACCES', syscall: 'listen', address: '::1', port: 80 }))).toContain(
      'need root',
    );
    expect(explainFailure(failure({ code: 'ENOSPC', path: '/x' }))).toBe('no space left on the disk that holds /x');
    expect(explainFailure(failure({ code: 'EACCES', path: '/x' }))).toBe('/x: said');
    expect(explainFailure(new LabFailure('no lease'))).toBe('no lease');
  });

  it('shows the stack of unknown errors', () => {
    expect(explainFailure(new TypeError('odd'))).toMatch(/^TypeError: odd\n +at /);
    expect(explainFailure('text')).toBe('text');
  });
});
