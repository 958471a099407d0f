import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { ConfigError } from '../../src/config/parse.ts';
import { type IdentityWorld, identityWorld, passwordLogin, serverOn } from './world.ts';

let world: IdentityWorld;
let file: string;
beforeEach(async () => {
  world = await identityWorld();
  file = join(world.core.config.DEFAULT.state_path, 'identity.yaml');
});
afterEach(() => world?.close());

/** Starts a server again, on the file as it is now. */
const restart = () => serverOn(world.core);
type Server = Awaited<ReturnType<typeof restart>>;

const login = async ({ app }: Server, name: string, password: string) => {
  const answer = await app.inject({
    ...{ method: 'POST', url: '/identity/v3/auth/tokens', payload: passwordLogin({ name, password }) },
  });
  return { status: answer.statusCode, token: String(answer.headers['x-subject-token']) };
};
const networks = async ({ app }: Server, token: string) =>
  (await app.inject({ url: '/v2.0/networks', headers: { 'x-auth-token': token } })).statusCode;
const text = () => readFileSync(file, 'utf8');

describe('the first start', () => {
  test('makes identity.yaml, which only its owner can read, in a whole', async () => {
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(world.admin.password).not.toBe(world.demo.password);
  });

  test('writes clouds.yaml and openrc for its users, which only their owner can read', async () => {
    await world.provider.listening?.('http://0.0.0.0:9797');
    const folder = world.core.config.DEFAULT.state_path;
    for (const name of ['clouds.yaml', 'openrc', 'openrc-admin'])
      expect(statSync(join(folder, name)).mode & 0o777, name).toBe(0o600);
    const auth = (user: typeof world.demo) => ({
      ...{ auth_url: 'http://127.0.0.1:9797/identity/v3', username: user.name, password: user.password },
      ...{ user_domain_name: 'Default', project_name: user.name, project_domain_name: 'Default' },
    });
    expect(parse(readFileSync(join(folder, 'clouds.yaml'), 'utf8'))).toMatchObject({
      clouds: { neutrino: { auth: auth(world.demo) }, 'neutrino-admin': { auth: auth(world.admin) } },
    });
    expect(readFileSync(join(folder, 'openrc'), 'utf8')).toContain(`export OS_PASSWORD='${world.demo.password}'\n`);
  });
});

describe('a further start', () => {
  test('keeps tokens valid and what was changed through the API', async () => {
    const token = await world.token(world.admin);
    const { body } = await world.request(
      { method: 'POST', url: '/identity/v3/projects', payload: { project: { name: 'made' } } },
      token,
    );
    const { id } = (JSON.parse(body) as { project: { id: string } }).project;
    const again = await restart();
    expect(await networks(again, token)).toBe(200);
    const kept = await again.app.inject({ url: `/identity/v3/projects/${id}`, headers: { 'x-auth-token': token } });
    expect(kept.statusCode).toBe(200);
  });

  test('takes over what has changed in the file: users, passwords, projects, roles', async () => {
    const [admin, demo] = [await world.token(world.admin), await world.token(world.demo)];
    writeFileSync(
      file,
      `${text()
        .replace(world.demo.password, 'changed')
        .replace('  - name: service\n', '  - name: lab\n')}  - name: extra
    password: "extra"
    roles: [{ role: reader, project: lab }]
`,
    );
    const again = await restart();
    expect(await networks(again, admin)).toBe(200);
    // As in Keystone, a new password ends the tokens.
    expect(await networks(again, demo)).toBe(401);
    expect((await login(again, 'demo', world.demo.password)).status).toBe(401);
    expect((await login(again, 'demo', 'changed')).status).toBe(201);
    expect((await login(again, 'extra', 'extra')).status).toBe(201);
    const { app } = again;
    const { projects } = (await app.inject({ url: '/identity/v3/projects', headers: { 'x-auth-token': admin } })).json<{
      projects: readonly { name: string }[];
    }>();
    expect(projects.map(({ name }) => name)).toEqual(['admin', 'demo', 'lab']);
    writeFileSync(file, text().slice(0, text().indexOf('  - name: extra')));
    const third = await restart();
    expect((await login(third, 'extra', 'extra')).status).toBe(401);
  });

  test('is refused for a file with an error, and changes nothing', async () => {
    const before = text();
    writeFileSync(file, before.replace('role: member', 'role: boss'));
    await expect(restart()).rejects.toThrow(ConfigError);
    await expect(restart()).rejects.toThrow(/identity\.yaml:\d+: role "boss" is unknown/);
    writeFileSync(file, before);
    expect((await login(await restart(), 'demo', world.demo.password)).status).toBe(201);
  });

  test('without the file uses the users of the database, and makes no new file', async () => {
    rmSync(file);
    const again = await restart();
    expect(existsSync(file)).toBe(false);
    expect((await login(again, 'admin', world.admin.password)).status).toBe(201);
  });
});
