import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import type { InjectOptions } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { anyJson, anyText, NASTY_TEXTS, NASTY_VALUES } from '../api/nasty.ts';
import { type IdentityWorld, identityWorld, passwordLogin } from './world.ts';

let world: IdentityWorld;
let watcher: DatabaseSync | undefined;
let tokens: Readonly<Record<'admin' | 'member' | 'nobody' | 'stranger', string | undefined>>;
let ids: Readonly<Record<string, string>>;
beforeAll(async () => {
  world = await identityWorld();
  // On MariaDB nothing tells cheaply whether something has changed: only the answers are checked there.
  const file = /^sqlite:\/\/\/(.*)$/.exec(world.core.connection)?.[1];
  watcher = file === undefined ? undefined : new DatabaseSync(file);
  const [admin, member] = [await world.token(world.admin), await world.token(world.demo)];
  tokens = { admin, member, nobody: undefined, stranger: 'nt2.e30.e30' };
  const made = async (collection: string, name: string, values: object) => {
    const answer = await send('POST', `/identity/v3/${collection}`, { [name]: { name: 'target', ...values } });
    return (answer.json() as Record<string, { id: string }>)[name]?.id ?? '';
  };
  ids = {
    users: await made('users', 'user', {}),
    projects: await made('projects', 'project', {}),
    domains: await made('domains', 'domain', { enabled: false }),
    roles: await made('roles', 'role', {}),
  };
});
afterAll(async () => {
  watcher?.close();
  await world?.close();
});

const version = () => Object.values(watcher?.prepare('pragma data_version').get() ?? {})[0];
let nth = 0;
/** An address of its own for every request, so that the throttle of logins is not what refuses it. */
const address = () => `10.${(++nth >> 16) & 255}.${(nth >> 8) & 255}.${nth & 255}`;

/** Sends a request, and checks what must hold for each: no 5xx, Keystone's body of errors, no change by what was refused. */
async function send(
  method: string,
  url: string,
  body?: unknown,
  token: string | undefined = tokens?.admin,
  headers = {},
) {
  const before = version();
  const answer = await world.request(
    {
      ...{ method: method as NonNullable<InjectOptions['method']>, url, remoteAddress: address() },
      headers: { 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
    },
    token,
  );
  const sent = `${method} ${url.slice(0, 300)} ${JSON.stringify(body)?.slice(0, 600)}: ${answer.statusCode} ${answer.body}`;
  expect(answer.statusCode, sent).toBeLessThan(500);
  if (answer.statusCode >= 400) {
    if (method !== 'HEAD')
      expect(answer.json(), sent).toEqual({
        error: { code: answer.statusCode, title: expect.any(String), message: expect.any(String) },
      });
    expect(answer.body.length, sent).toBeLessThan(10_000);
    expect(version(), `changed by ${sent}`).toBe(before);
  } else if (method === 'GET' || method === 'HEAD') expect(version(), `changed by ${sent}`).toBe(before);
  return answer;
}

const COLLECTIONS = [
  ['users', 'user', ['name', 'domain_id', 'description', 'email', 'enabled', 'default_project_id', 'password']],
  ['projects', 'project', ['name', 'domain_id', 'parent_id', 'description', 'enabled', 'is_domain']],
  ['domains', 'domain', ['name', 'description', 'enabled']],
  ['roles', 'role', ['name', 'description', 'domain_id']],
] as const;

describe.each(COLLECTIONS)('%s are not harmed', (collection, name, properties) => {
  const all = `/identity/v3/${collection}`;

  test('by any hostile value of a property, nor by one in place of the document', async () => {
    for (const value of NASTY_VALUES) {
      for (const property of properties) {
        // Hashing takes long; a few values are enough.
        if (property === 'password' && nth % 5 !== 0) continue;
        const made = await send('POST', all, { [name]: { name: `x${nth}`, [property]: value } });
        if (made.statusCode === 201) {
          const { id } = (made.json() as Record<string, { id: string }>)[name] ?? { id: '' };
          if (collection === 'domains') await send('PATCH', `${all}/${id}`, { domain: { enabled: false } });
          expect((await send('DELETE', `${all}/${id}`)).statusCode).toBe(204);
        }
        if (property !== 'enabled') await send('PATCH', `${all}/${ids[collection]}`, { [name]: { [property]: value } });
      }
      await send('POST', all, { [name]: value });
      await send('POST', all, value);
    }
  });

  test('by any name in a path or a filter', async () => {
    for (const text of NASTY_TEXTS) {
      const word = encodeURIComponent(text.slice(0, 500).toWellFormed());
      for (const method of ['GET', 'PATCH', 'DELETE']) await send(method, `${all}/${word || 'x'}`, {});
      for (const filter of ['name', 'domain_id', 'enabled', 'parent_id', text.slice(0, 100).toWellFormed()])
        await send('GET', `${all}?${encodeURIComponent(filter)}=${word}`);
    }
  });

  test.each(['member', 'nobody', 'stranger'] as const)('by %s', async (who) => {
    const id = ids[collection];
    for (const [method, url] of [
      ['POST', all],
      ['PATCH', `${all}/${id}`],
      ['DELETE', `${all}/${id}`],
      ['PUT', `/identity/v3/projects/${ids.projects}/users/${ids.users}/roles/${ids.roles}`],
      ['PUT', `/identity/v3/system/users/${ids.users}/roles/${ids.roles}`],
    ] as const) {
      const { statusCode } = await send(method, url, { [name]: { name: 'mine' } }, tokens[who] ?? '');
      expect(statusCode, `${method} ${url}`).toBe(who === 'member' ? 403 : 401);
    }
  });
});

const withCredential = (application_credential: unknown) => ({
  auth: { identity: { methods: ['application_credential'], application_credential } },
});

describe('logins are not harmed', () => {
  test('nor are application credentials by any value of a property', async () => {
    const { user } = (
      (
        await send('GET', '/identity/v3/auth/tokens', undefined, tokens.admin, { 'x-subject-token': tokens.admin })
      ).json() as {
        token: { user: { id: string } };
      }
    ).token;
    const all = `/identity/v3/users/${user.id}/application_credentials`;
    for (const value of NASTY_VALUES)
      for (const property of ['name', 'description', 'roles', 'unrestricted', 'expires_at'])
        await send('POST', all, { application_credential: { name: `x${nth}`, [property]: value } });
  });

  test('by any hostile value anywhere in the body', async () => {
    const [user, password] = ['nobody', 'x'];
    const login = (change: (body: ReturnType<typeof passwordLogin>) => unknown) =>
      send('POST', '/identity/v3/auth/tokens', change(passwordLogin({ name: user, password })), '');
    for (const value of NASTY_VALUES) {
      const answers = [
        await login(() => value),
        await login(() => ({ auth: value })),
        await login(({ auth }) => ({ auth: { ...auth, identity: value } })),
        await login(({ auth }) => ({ auth: { identity: { ...auth.identity, methods: value } } })),
        await login(({ auth }) => ({ auth: { identity: { ...auth.identity, methods: [value] } } })),
        await login(() => ({ auth: { identity: { methods: ['token'], token: value } } })),
        await login(() => withCredential(value)),
        await login(() => withCredential({ id: value, secret: value })),
        await login(() => withCredential({ name: value, user: { id: value }, secret: 'x' })),
        await login(() => ({ auth: { identity: { methods: ['token'], token: { id: value } } } })),
        await login(() => ({ auth: { identity: { methods: ['password'], password: { user: value } } } })),
        ...(nth % 3 ? [] : [await login(() => passwordLogin({ name: JSON.stringify(value) ?? '', password: 'x' }))]),
      ];
      for (const { statusCode } of answers) expect([400, 401]).toContain(statusCode);
    }
  });

  test('by any scope', async () => {
    const identity = { methods: ['token'], token: { id: tokens.admin } };
    for (const value of NASTY_VALUES)
      for (const scope of [
        ...[
          value,
          { project: value },
          { project: { id: value } },
          { project: { name: value, domain: { id: 'default' } } },
        ],
        ...[
          { project: { name: 'admin', domain: value } },
          { domain: value },
          { domain: { id: value } },
          { system: value },
        ],
      ])
        await send('POST', '/identity/v3/auth/tokens', { auth: { identity, scope } }, '');
  });

  test('by any header', async () => {
    await fc.assert(
      fc.asyncProperty(anyText, anyText, async (auth, subject) => {
        const ascii = (text: string) => text.replace(/[^\x20-\x7e]/g, '').slice(0, 4_000);
        const headers = { 'x-subject-token': ascii(subject), host: ascii(auth).slice(0, 200) };
        await send('GET', '/identity/v3/auth/tokens', undefined, ascii(auth), headers);
        await send('GET', '/identity/v3/auth/tokens', undefined, tokens.admin, headers);
        await send('DELETE', '/identity/v3/auth/tokens', undefined, tokens.admin, headers);
        await send('GET', '/identity/v3', undefined, '', headers);
      }),
      { numRuns: 300 },
    );
  });
});

test('any path and body below /identity gets an answer', async () => {
  const parts = [
    ...['identity', 'v3', 'users', 'auth', 'tokens', 'projects', 'system', 'roles'],
    ...Object.values(ids),
  ];
  const part = fc.oneof(
    fc.constantFrom(...parts),
    anyText.map((text) => encodeURIComponent(text.slice(0, 50).toWellFormed())),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'HEAD'),
      fc.array(part, { maxLength: 6 }),
      anyJson,
      async (method, path, body) => {
        await send(
          method,
          `/identity/v3/${path.join('/')}`,
          method === 'GET' || method === 'HEAD' ? undefined : body,
          tokens.member,
        );
      },
    ),
    { numRuns: 500 },
  );
});
