import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../src/config/parse.ts';
import { firstIdentityFile } from '../../src/identity/file/first.ts';
import { readIdentityFile } from '../../src/identity/file/read.ts';
import { anyJson } from '../api/nasty.ts';
import { codePoint } from '../support/code-point.ts';

const read = (text: string) => readIdentityFile(text, 'identity.yaml');

describe('the first identity.yaml', () => {
  test('has an administrator and a member, with passwords that nobody can guess', () => {
    const [one, other] = [read(firstIdentityFile()), read(firstIdentityFile())];
    expect(one.users.map(({ name, grants }) => [name, grants.map(({ role }) => role)])).toEqual([
      ['admin', ['admin', 'admin', 'admin']],
      ['demo', ['member']],
    ]);
    const passwords = [...one.users, ...other.users].map(({ password }) => password);
    expect(new Set(passwords).size).toBe(4);
    for (const password of passwords) expect(password).toMatch(/^[0-9a-f]{36}$/);
  });
});

describe('identity.yaml', () => {
  test('may hold several domains, further roles, ids, and roles on everything', () => {
    const file = read(`
domains: [{ name: Other, id: other }]
roles: [auditor, member]
projects:
  - { name: p, id: abc, description: text, enabled: false }
  - { name: p, domain: Other }
users:
  - name: u
    domain: Other
    password: "1"
    email: u@example.org
    default_project: p
    roles:
      - { role: auditor, project: p }
      - { role: reader, project: p, project_domain: Default }
      - { role: admin, domain: Default }
      - { role: reader, system: all }
`);
    expect(file.domains.map(({ id, name }) => [id, name])).toEqual([
      ['default', 'Default'],
      ['other', 'Other'],
    ]);
    expect(file.roles).toEqual(['auditor']);
    expect(file.projects).toMatchObject([
      { id: 'abc', name: 'p', domain: 'Default', description: 'text', enabled: false },
      { id: undefined, name: 'p', domain: 'Other', description: '', enabled: true },
    ]);
    expect(file.users).toMatchObject([
      {
        ...{ name: 'u', domain: 'Other', password: '1', email: 'u@example.org', defaultProject: 'p' },
        grants: [
          { role: 'auditor', project: { name: 'p', domain: 'Other' } },
          { role: 'reader', project: { name: 'p', domain: 'Default' } },
          { role: 'admin', domain: 'Default' },
          { role: 'reader' },
        ],
      },
    ]);
  });

  test.each([
    ['users:\n  - name: u\n   password: x', 'identity.yaml:3: '],
    ['users:\n  - name: u\n    password: "x', 'identity.yaml:3: Missing closing "quote'],
    ['- a', 'identity.yaml:1: the file must hold keys such as users and projects'],
    ['', 'identity.yaml:1: the file must hold'],
    ['projects: []\nuser: []', 'identity.yaml:2: "user" is unknown here; known are domains, projects, roles, users'],
    ['users: 1', 'identity.yaml:1: users must be a list'],
    ['users:\n  - u', 'identity.yaml:2: each entry of users must hold keys such as name'],
    ['users:\n  - password: x', 'identity.yaml:2: name is missing'],
    ['users:\n  - name: u', 'identity.yaml:2: password must have 1 to 4096 characters'],
    ['users:\n  - name: u\n    password: 12345', 'identity.yaml:3: password must be text; write it in quotes'],
    ['users:\n  - name: u\n    pass: x', 'identity.yaml:3: "pass" is unknown here; known are id, name, domain,'],
    ['users:\n  - name: " u"\n    password: x', 'identity.yaml:2: name must have 1 to 255 characters, no control'],
    ['projects:\n  - name: "a\\nb"', 'identity.yaml:2: name must have 1 to 64 characters, no control characters'],
    [`projects:\n  - name: ${'x'.repeat(65)}`, 'identity.yaml:2: name must have 1 to 64 characters'],
    ['projects:\n  - name: p\n    enabled: maybe', 'identity.yaml:3: enabled must be true or false'],
    ['projects:\n  - name: p\n  - name: p', 'identity.yaml:3: there are two entries for project "p"'],
    ['projects:\n  - { name: p, id: a }\n  - { name: q, id: a }', 'identity.yaml:3: two entries have the id "a"'],
    ['projects:\n  - name: p\n    domain: D', 'identity.yaml:2: domain "D" is none of the domains of this file'],
    [
      'users:\n  - name: u\n    password: x\n    default_project: p',
      'identity.yaml:2: default_project "p" is none of the projects of domain Default in this file',
    ],
    [
      'users:\n  - { name: u, password: x, roles: [{ role: boss, system: all }] }',
      'identity.yaml:2: role "boss" is unknown',
    ],
    [
      'users:\n  - { name: u, password: x, roles: [{ role: admin }] }',
      'identity.yaml:2: a role must be on one project,',
    ],
    [
      'users:\n  - { name: u, password: x, roles: [{ role: admin, system: yes }] }',
      'identity.yaml:2: system must be all',
    ],
    ['a: &x [1]\nusers: *x', 'identity.yaml:1: "a" is unknown here'],
    ['users:\n  - &x { name: u, password: x }\n  - *x', 'identity.yaml:3: each entry of users must hold keys'],
  ])('is rejected with the line of what is wrong: %j', (text, message) => {
    expect(() => read(text)).toThrow(ConfigError);
    expect(() => read(text)).toThrow(message);
  });

  test('whatever it holds, is read or rejected with a line', () => {
    const outcome = (text: string) => {
      try {
        read(text);
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigError);
        expect((error as Error).message).toMatch(/^identity\.yaml:\d+: /);
      }
    };
    const keys = [
      'name',
      'id',
      'domain',
      'password',
      'roles',
      'role',
      'project',
      'system',
      'enabled',
      'default_project',
    ];
    const entry = fc.dictionary(fc.constantFrom(...keys), anyJson);
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: codePoint, maxLength: 60 }),
          fc.string({ unit: fc.constantFrom(...'&*!|>-?:{}[],#"%@\n \ta1'), maxLength: 60 }),
          fc
            .dictionary(fc.constantFrom('users', 'projects', 'domains', 'roles'), fc.oneof(anyJson, fc.array(entry)))
            .map((value) => JSON.stringify(value)),
        ),
        outcome,
      ),
      { numRuns: 2_000 },
    );
  });

  test('is rejected without showing a password', () => {
    expect(() => read('users:\n  - { name: u, password: [secret-word] }')).toThrow(/^(?!.*secret-word)/);
  });
});
