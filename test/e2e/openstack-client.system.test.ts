import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { run } from '../../src/linux/run.ts';
import { removeUnlessKept } from '../support/folder.ts';
import { freePorts } from '../support/free-ports.ts';
import { NeutrinoProcess, neutrino } from '../support/neutrino.ts';

/** The client of Debian's python3-openstackclient; another Python may be first in PATH. */
const OPENSTACK = '/usr/bin/openstack';
const isAbsent = !existsSync(OPENSTACK);

describe.skipIf(isAbsent)(`the stock openstack client${isAbsent ? `: ${OPENSTACK} is not installed` : ''}`, () => {
  let folder: string;
  let statePath: string;
  let words: readonly string[];
  let up: NeutrinoProcess;
  let url: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'neutrino-client-'));
    statePath = join(folder, 'state');
    const [port] = await freePorts(1);
    words = ['up', '--no-agents', '--auth', 'lab', '--state-path', statePath, '--bind-port', String(port)];
    up = new NeutrinoProcess({ words, folder });
    await up.start();
    url = await up.url();
  });
  afterAll(async () => {
    await up?.shutDown();
    removeUnlessKept(folder);
  });

  /** Runs the client as one of the clouds that Neutrino has written; returns its JSON. */
  async function openstack(cloud: string, command: string, output = ['-f', 'json']): Promise<unknown> {
    const settings = [`OS_CLIENT_CONFIG_FILE=${join(statePath, 'clouds.yaml')}`, `OS_CLOUD=${cloud}`];
    const call = ['env', '-i', 'PATH=/usr/bin:/bin', 'LANG=C.UTF-8', ...settings, OPENSTACK] as const;
    const { stdout } = await run([...call, ...command.split(' '), ...output], { timeoutMs: 60_000 });
    return stdout.trim() === '' ? undefined : JSON.parse(stdout);
  }
  const status = async (token: string) =>
    (await fetch(`${url}/v2.0/networks`, { headers: { 'x-auth-token': token } })).status;

  test('is told by the banner where to log in', () => {
    for (const part of [`Identity at ${url}/identity/v3`, join(statePath, 'clouds.yaml'), join(statePath, 'openrc')])
      expect(up.stdout).toContain(part);
    expect(up.stdout).not.toContain('no authentication');
  });

  test('logs in as the member, and creates and lists networks of its project', async () => {
    const project = (await openstack('neutrino', 'token issue')) as { project_id: string };
    expect(await openstack('neutrino', 'network list')).toEqual([]);
    expect(await openstack('neutrino', 'network create net1')).toMatchObject({
      name: 'net1',
      project_id: project.project_id,
    });
    expect(await openstack('neutrino', 'network list')).toMatchObject([{ Name: 'net1' }]);
    expect(await openstack('neutrino', 'catalog list')).toMatchObject([{ Type: 'network' }, { Type: 'identity' }]);
    // The client asks for its own projects when it may not list all.
    expect(await openstack('neutrino', 'project list')).toMatchObject([{ Name: 'demo' }]);
    await expect(openstack('neutrino', 'user list')).rejects.toThrow('not authorized');
  });

  test('manages users, projects and roles as the administrator', async () => {
    const names = async (command: string) =>
      ((await openstack('neutrino-admin', command)) as readonly { Name: string }[]).map(({ Name }) => Name);
    expect(await names('project list')).toEqual(['admin', 'demo', 'service']);
    expect(await names('user list')).toEqual(['admin', 'demo']);
    await openstack('neutrino-admin', 'project create lab');
    await openstack('neutrino-admin', 'user create tester --password secret --project lab');
    await openstack('neutrino-admin', 'role add --project lab --user tester member', []);
    expect(await openstack('neutrino-admin', 'role assignment list --names --project lab')).toEqual([
      expect.objectContaining({ Role: 'member', User: 'tester@Default', Project: 'lab@Default' }),
    ]);
    await openstack('neutrino-admin', 'role remove --project lab --user tester member', []);
    await openstack('neutrino-admin', 'user delete tester', []);
    await openstack('neutrino-admin', 'project delete lab', []);
    expect(await names('project list')).toEqual(['admin', 'demo', 'service']);
    expect(await names('network list --project demo')).toEqual(['net1']);
  });

  test('makes application credentials, which log in by themselves', async () => {
    type Made = Readonly<Record<'id' | 'secret', string>>;
    const made = (await openstack('neutrino', 'application credential create robot --role reader')) as Made;
    const settings = {
      ...{ OS_AUTH_TYPE: 'v3applicationcredential', OS_AUTH_URL: `${url}/identity/v3` },
      ...{ OS_APPLICATION_CREDENTIAL_ID: made.id, OS_APPLICATION_CREDENTIAL_SECRET: made.secret },
    };
    const words = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
    const call = ['env', '-i', 'PATH=/usr/bin:/bin', 'LANG=C.UTF-8', ...words, OPENSTACK] as const;
    const { stdout } = await run([...call, 'network', 'list', '-f', 'json'], { timeoutMs: 60_000 });
    expect(JSON.parse(stdout)).toMatchObject([{ Name: 'net1' }]);
    await openstack('neutrino', 'application credential delete robot', []);
    await expect(run([...call, 'network', 'list'], { timeoutMs: 60_000 })).rejects.toThrow('HTTP 401');
  });

  test('logs in with the openrc', async () => {
    const script = `. ${join(statePath, 'openrc')} && ${OPENSTACK} network list -f json`;
    const { stdout } = await run(['env', '-i', 'PATH=/usr/bin:/bin', 'LANG=C.UTF-8', 'sh', '-c', script]);
    expect(JSON.parse(stdout)).toMatchObject([{ Name: 'net1' }]);
  });

  test('keeps its tokens over a restart, until it revokes them', async () => {
    const { id } = (await openstack('neutrino', 'token issue')) as { id: string };
    expect(await status(id)).toBe(200);
    expect(await up.end('SIGKILL')).toBeNull();
    await up.start();
    await up.url();
    expect(await status(id)).toBe(200);
    await openstack('neutrino-admin', `token revoke ${id}`, []);
    expect(await status(id)).toBe(401);
  });

  test('leaves nothing secret in the log, nor readable by others', async () => {
    const { clouds } = parse(readFileSync(join(statePath, 'clouds.yaml'), 'utf8')) as {
      clouds: Record<string, { auth: { password: string } }>;
    };
    for (const { auth } of Object.values(clouds)) expect(up.stdout + up.stderr).not.toContain(auth.password);
    expect(up.stdout + up.stderr).not.toMatch(/nt2\./);
    const { stdout } = await run(['find', statePath, '-name', '*.sqlite*', '-perm', '/077']);
    expect(stdout).toBe('');
  });

  test('is not needed by commands of the host, which log in as the administrator', async () => {
    const { code, stdout, stderr } = await neutrino('dhcp', 'render', 'net1', '--state-path', statePath);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toHaveProperty('host');
    const elsewhere = await neutrino('dhcp', 'render', 'net1', '--state-path', folder, '--url', url);
    expect(elsewhere.code).toBe(1);
    expect(elsewhere.stderr).toContain('401 Unauthorized: The request you have made requires authentication.');
  });
});
