import { randomUUID } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import Fastify from 'fastify';
import { answerParent } from '../child.ts';

/** Works on the security groups of Neutrino's database with the bare driver and bare Fastify, in a separate process. */
export type GroupsJob =
  | { readonly kind: 'fill'; readonly path: string; readonly groups: number; readonly rules: number }
  /** Returns the URL of the bare list. */
  | { readonly kind: 'serve'; readonly path: string }
  /** Returns the milliseconds of the queries of the bare list alone. */
  | { readonly kind: 'query'; readonly path: string };

/** As many groups as Neutrino loads at a time. */
const CHUNK = 500;
const CREATED = '2026-11-25 00:00:00';

function fill(db: DatabaseSync, groups: number, rules: number): void {
  const standard = db.prepare(`insert into standardattributes
    (resource_type, description, revision_number, created_at, updated_at) values (?, '', 1, ?, ?)`);
  const group = db.prepare(`insert into securitygroups (id, project_id, name, stateful, standard_attr_id)
    values (?, 'bench', ?, 1, ?)`);
  const rule =
    db.prepare(`insert into securitygrouprules (id, project_id, security_group_id, direction, ethertype, protocol,
    port_range_min, port_range_max, remote_ip_prefix, normalized_cidr, description, rule_key, standard_attr_id)
    values (?, 'bench', ?, 'ingress', 'IPv4', 'tcp', ?, ?, '10.0.0.0/8', '10.0.0.0/8', '', ?, ?)`);
  const attributes = (type: string) => standard.run(type, CREATED, CREATED).lastInsertRowid;
  db.exec('begin immediate');
  for (let i = 0; i < groups; i++) {
    const id = randomUUID();
    group.run(id, `group-${i}`, attributes('securitygroups'));
    for (let port = 1; port <= rules; port++) {
      const key = `ingress IPv4 6 ${port} ${port} + + 10.0.0.0/8`;
      rule.run(randomUUID(), id, port, port, key, attributes('securitygrouprules'));
    }
  }
  db.exec('commit');
}

/** Returns the rows of all groups, each with those of its rules. */
function list(db: DatabaseSync): readonly object[] {
  const groups = db
    .prepare(`select g.id, g.project_id, g.project_id as tenant_id, g.name, g.stateful, s.description, s.revision_number,
      s.created_at, s.updated_at from securitygroups g inner join standardattributes s on s.id = g.standard_attr_id
      order by g.id`)
    .all()
    .map((row) => ({ ...row, id: String(row.id), security_group_rules: [] as object[] }));
  const byId = new Map(groups.map((row) => [row.id, row]));
  for (let at = 0; at < groups.length; at += CHUNK) {
    const ids = groups.slice(at, at + CHUNK).map(({ id }) => id);
    const rules =
      db.prepare(`select r.id, r.project_id, r.project_id as tenant_id, r.security_group_id, r.direction, r.ethertype,
      r.protocol, r.port_range_min, r.port_range_max, r.remote_ip_prefix, r.remote_group_id, r.remote_address_group_id,
      r.normalized_cidr, r.description, r.standard_attr_id, s.revision_number, s.created_at, s.updated_at
      from securitygrouprules r inner join standardattributes s on s.id = r.standard_attr_id
      where r.security_group_id in (${ids.map(() => '?').join(',')}) order by r.security_group_id, r.rule_key`);
    for (const rule of rules.all(...ids)) byId.get(String(rule.security_group_id))?.security_group_rules.push(rule);
  }
  return groups;
}

const open = new Map<string, DatabaseSync>();

function database(path: string): DatabaseSync {
  const known = open.get(path) ?? new DatabaseSync(path);
  open.set(path, known);
  return known;
}

async function serve(db: DatabaseSync): Promise<string> {
  const app = Fastify();
  app.get('/groups', async () => ({ security_groups: list(db) }));
  return app.listen({ host: '127.0.0.1', port: 0 });
}

answerParent(async (job: GroupsJob): Promise<{ readonly url?: string; readonly ms?: number }> => {
  const db = database(job.path);
  if (job.kind === 'serve') return { url: await serve(db) };
  const began = performance.now();
  if (job.kind === 'fill') fill(db, job.groups, job.rules);
  else list(db);
  return { ms: performance.now() - began };
});
