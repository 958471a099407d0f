import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { configuredPolicy } from '../../src/auth/configured-policy.ts';
import type { Policy } from '../../src/auth/policy.ts';
import { loadConfig } from '../../src/config/load.ts';
import { NETWORK } from '../../src/resources/network.ts';
import { PORT } from '../../src/resources/port.ts';
import { ADMIN, memberOf } from '../support/core.ts';

let folder: string;
let warnings: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'neutrino-policy-file-'));
  warnings = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, content: string): string => {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, content);
  return path;
};

/** The policy of a server whose configuration file has these lines under [oslo_policy]. */
function policyWith(lines = ''): Policy {
  const { config } = loadConfig({ files: [write('neutron.conf', `[oslo_policy]\n${lines}\n`)] });
  return configuredPolicy([NETWORK, PORT], config, (message) => warnings.push(message));
}

const member = memberOf('p1');
const own = { project_id: 'p1' };

describe('policy files', () => {
  test('override the default rules, and need not exist', () => {
    expect(policyWith().allows(member, 'create_network', own)).toBe(true);
    write('policy.yaml', '# changed\n"create_network": "role:creator"\nget_port: "!"\n');
    const policy = policyWith();
    expect(policy.allows(member, 'create_network', own)).toBe(false);
    expect(policy.allows({ ...member, roles: ['creator'] }, 'create_network', own)).toBe(true);
    expect(policy.allows(ADMIN, 'get_port', own)).toBe(false);
    expect(policy.allows(member, 'create_port', own)).toBe(true);
  });

  test('are found beside the configuration file: policy.yaml, else policy.json, then the folder policy.d', () => {
    write('policy.json', '{"create_network": "!", "create_port": "!"}');
    write('policy.d/10-ports.yaml', 'create_port: ""\n');
    write('policy.d/.hidden.yaml', 'create_port: [broken');
    expect(policyWith().allows(member, 'create_network', own)).toBe(false);
    expect(policyWith().allows({ ...member, roles: [] }, 'create_port', own)).toBe(true);
    write('policy.yaml', 'delete_network: "!"\n');
    expect(policyWith().allows(member, 'create_network', own)).toBe(true);
    expect(policyWith().allows(ADMIN, 'delete_network', own)).toBe(false);
  });

  test('must exist if the configuration names them', () => {
    expect(() => policyWith('policy_file = nowhere.yaml')).toThrow(
      /\[oslo_policy\] policy_file .*neutron\.conf:2.*nowhere\.yaml: no such file/,
    );
    expect(() => policyWith('policy_dirs = nowhere.d')).toThrow(/policy_dirs .*nowhere\.d: no such file/);
    const elsewhere = write('elsewhere/rules.yaml', 'create_network: "!"');
    expect(policyWith(`policy_file = ${elsewhere}`).allows(ADMIN, 'create_network', own)).toBe(false);
    expect(policyWith('policy_file = elsewhere/rules.yaml').allows(ADMIN, 'create_network', own)).toBe(false);
  });

  test('may name rules that others refer to', () => {
    write('policy.yaml', '"my_team": "role:team_a"\n"create_network": "rule:my_team and rule:owner"\n');
    expect(policyWith().allows({ ...member, roles: ['team_a'] }, 'create_network', own)).toBe(true);
    expect(policyWith().allows(member, 'create_network', own)).toBe(false);
  });

  test('may have rules for attributes that have none by default, and for who is an administrator', () => {
    write(
      'policy.yaml',
      'create_port:dns_name: "!"\nget_port:device_id: "rule:admin_only"\n"context_is_admin": "role:boss"\n',
    );
    const policy = policyWith();
    expect(policy.attributeActions(PORT, 'create', { name: 'x', dns_name: 'h' })).toEqual(['create_port:dns_name']);
    expect(policy.hidden(member, PORT)).toContain('device_id');
    const roles = (...names: string[]) => policy.callerOf({ ...member, roles: names }, 'req-1').isAdmin;
    expect([roles('boss'), roles('admin')]).toEqual([true, false]);
  });

  test.each([
    [
      'an unknown action',
      'get_port: "@"\n"create_netwrok": "@"',
      /policy\.yaml:2: create_netwrok: there is no such action; did you mean create_network\?/,
    ],
    [
      'an unknown attribute',
      'create_network:colour: "@"',
      /policy\.yaml:1: create_network:colour: there is no such action/,
    ],
    [
      'an attribute that cannot be set',
      'update_port:network_id: "@"',
      /policy\.yaml:1: update_port:network_id: there is/,
    ],
    [
      'a broken rule',
      '\n\ncreate_port: "role:a and"',
      /policy\.yaml:3: create_port: the rule ends where a check is expected/,
    ],
    ['a missing parenthesis', 'create_port: "(role:a or role:b"', /:1: create_port: '\)' is missing/],
    ['a check without a value', 'create_port: "admin"', /:1: create_port: 'admin' is not KIND:VALUE/],
    ['an unknown rule', 'create_port: "rule:nobody_knows"', /:1: create_port: there is no rule 'nobody_knows'/],
    ['a circle', 'a: "rule:b"\nb: "rule:a"\ncreate_port: "rule:a"', /: (a|b): the rule refers to itself/],
    ['checks by HTTP', 'create_port: "http://x/%(id)s"', /:1: create_port: 'http:' checks are not supported/],
    ['lists of lists', 'create_port: [["role:a"]]', /:1: create_port: a rule is a text/],
    ['no value', 'create_port:', /:1: create_port: a rule is a text/],
    ['the same rule twice', 'create_port: "@"\ncreate_port: "!"', /policy\.yaml:2: .*unique/],
    ['broken YAML', 'create_port: "@"\n  x: [', /policy\.yaml:[23]: /],
    ['a list of rules', '- create_port', /policy\.yaml:1: a policy file maps names of rules to rules/],
    [
      'a rule that is too long',
      `create_port: "${'role:a or '.repeat(2000)}role:a"`,
      /:1: create_port: a rule of \d+ characters exceeds/,
    ],
    [
      'deep nesting',
      `create_port: "${'('.repeat(60)}role:a${')'.repeat(60)}"`,
      /:1: create_port: parentheses are nested deeper/,
    ],
  ])('are refused with file and line: %s', (_, content, message) => {
    write('policy.yaml', content);
    expect(() => policyWith()).toThrow(message);
  });

  test('of stock Neutron are accepted: rules about what is not served are named once', () => {
    write('policy.yaml', '"create_log": "!"\n"update_networks_tags": "!"\n"create_network": "!"\n');
    expect(policyWith().allows(ADMIN, 'create_network', own)).toBe(false);
    expect(warnings).toEqual([
      expect.stringMatching(/without effect: create_log \(.*policy\.yaml:1\), update_networks_tags \(.*:2\)$/),
    ]);
  });
});

describe('the scope of tokens', () => {
  const system = { ...ADMIN, projectId: '', systemScope: true };
  const domain = { ...ADMIN, projectId: '', domainId: 'd1' };

  test('must be a project, unless enforce_scope is off', () => {
    for (const caller of [system, domain]) {
      expect(policyWith().allows(caller, 'create_network', own)).toBe(false);
      expect(() => policyWith().authorize(caller, 'get_network', own)).toThrow(/disallowed by policy/);
      expect(policyWith('enforce_scope = false').allows(caller, 'create_network', own)).toBe(true);
    }
  });
});

describe('enforce_new_defaults', () => {
  const as = (policy: Policy, ...roles: string[]) => policy.callerOf({ ...member, roles }, 'req-1');
  const decisions = (policy: Policy) => ({
    reader: policy.allows(as(policy, 'reader'), 'update_network', own),
    stranger: policy.allows(as(policy, 'nobody'), 'get_network', own),
    service: policy.allows(as(policy, 'service'), 'update_port:binding:host_id', own),
    seesAll: as(policy, 'service').isAdvsvc,
  });

  test('distinguishes readers, members and services; without it, every role of a project writes, as in Zed', () => {
    expect(decisions(policyWith())).toEqual({ reader: false, stranger: false, service: true, seesAll: true });
    expect(decisions(policyWith('enforce_new_defaults = false'))).toEqual({
      reader: true,
      stranger: true,
      service: false,
      seesAll: false,
    });
  });
});
