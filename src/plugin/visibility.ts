import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Caller } from '../auth/contract.ts';
import type { Queries } from '../db/database.ts';
import { prepared } from '../db/prepared.ts';
import type { Resource } from '../resources/attribute.ts';
import { NeutronError, neutronError, notFound } from '../resources/errors.ts';
import { NETWORK } from '../resources/network.ts';
import { SUBNET } from '../resources/subnet.ts';
import { sharedWithCaller } from './rbac/sharing.ts';

/** Conditions on the rows that callers who do not see everything may see, for queries on the table of each name. */

/** Returns whether the caller sees the resources of all projects. */
export const seesAll = ({ isAdmin, isAdvsvc }: Caller): boolean => isAdmin || isAdvsvc;

type InProject = Pick<Caller, 'projectId'>;

/** Rows of a table that have the caller's project. */
export const ownedIn =
  (table: string) =>
  ({ projectId }: InProject): RawBuilder<SqlBool> =>
    sql<SqlBool>`${sql.ref(`${table}.project_id`)} = ${projectId}`;

/** Returns whether rows of the resource belong to a project. */
const isOwned = ({ table, attributes }: Resource): boolean =>
  table !== undefined && attributes.project_id?.column === `${table}.project_id`;

/**
 * The default condition: a caller's own resources, and those that are shared with it (`sharing`). Undefined: all rows, because they
 * belong to no project.
 */
export function ownOrShared(resource: Resource, caller: Caller): RawBuilder<SqlBool> | undefined {
  const own = isOwned(resource) ? ownedIn(resource.table ?? '')(caller) : undefined;
  if (!resource.sharing || !own) return own;
  return sql<SqlBool>`(${own} or ${sharedWithCaller(resource, caller)})`;
}

/** Its own networks, and those shared with it or external to it. */
export const visibleNetworks = (caller: InProject): RawBuilder<SqlBool> =>
  sql<SqlBool>`(${ownedIn('networks')(caller)} or ${sharedWithCaller(NETWORK, caller)})`;

/** Its own subnets, and those of its own and of shared networks. */
export const visibleSubnets = ({ projectId }: Caller): RawBuilder<SqlBool> =>
  sql<SqlBool>`(subnets.project_id = ${projectId}
    or exists (select 1 from networks n where n.id = subnets.network_id and n.project_id = ${projectId})
    or exists (select 1 from networkrbacs r where r.object_id = subnets.network_id and r.action = 'access_as_shared'
      and r.target_project in ('*', ${projectId})))`;

/** Its own ports, and those on its networks. */
export const visiblePorts = ({ projectId }: Caller): RawBuilder<SqlBool> =>
  sql<SqlBool>`(ports.project_id = ${projectId}
    or exists (select 1 from networks n where n.id = ports.network_id and n.project_id = ${projectId}))`;

/**
 * Throws the resource's NotFound unless the caller may see the row: for resources that a request refers to by id. `visible`: the
 * condition of the resource's module; default: its own and shared ones.
 */
export async function requireVisible(
  db: Queries,
  caller: Caller,
  resource: Resource,
  id: string,
  visible: ((caller: Caller) => RawBuilder<SqlBool>) | undefined = undefined,
): Promise<void> {
  const condition = seesAll(caller) ? undefined : visible ? visible(caller) : ownOrShared(resource, caller);
  const and = condition ? sql`and ${condition}` : sql``;
  const table = sql.table(resource.table ?? '');
  const { rows } = await sql`select 1 from ${table} where ${sql.ref(`${resource.table}.id`)} = ${id} ${and}`.execute(
    db,
  );
  if (rows.length === 0) throw notFound(resource, id);
}

/** As `requireVisible`; returns whether the caller may see the row. */
export const isVisible = (...of: Parameters<typeof requireVisible>): Promise<boolean> =>
  requireVisible(...of).then(
    () => true,
    (error: unknown) => {
      if (error instanceof NeutronError) return false;
      throw error;
    },
  );

/** Throws NetworkNotFound unless the caller may see the network. Administrators: the rules themselves find out. */
export async function requireVisibleNetwork(db: Queries, caller: Caller, id: string): Promise<void> {
  if (!seesAll(caller)) await requireVisible(db, caller, NETWORK, id, visibleNetworks);
}

/** Whether a network that a project sees is its own or shared with it; prepared, because every port that a member creates asks. */
const usableNetwork = prepared<{ id: string; project: string }, { usable: number }>((db, parameter) => {
  const caller = { projectId: parameter('project') };
  const own = ownedIn('networks')(caller);
  const shared = sharedWithCaller(NETWORK, caller, 'access_as_shared');
  const query = sql<{ usable: number }>`select case when ${own} or ${shared} then 1 else 0 end as usable
    from networks where id = ${parameter('id')} and ${visibleNetworks(caller)}`;
  return { compile: () => query.compile(db) };
});

/**
 * Throws unless the caller may create resources on the networks: NetworkNotFound for those that it does not see, HTTPForbidden for
 * those that it only sees, because they are external. Administrators: the rules themselves find out.
 */
export async function requireUsableNetworks(
  db: Queries,
  caller: Caller,
  resource: Resource,
  items: readonly { readonly network_id: string }[],
): Promise<void> {
  if (seesAll(caller)) return;
  for (const id of new Set(items.map(({ network_id }) => network_id))) {
    const { rows } = await usableNetwork(db, { id, project: caller.projectId });
    const [network] = rows;
    if (!network) throw notFound(NETWORK, id);
    if (Number(network.usable) === 0)
      throw neutronError('HTTPForbidden', { project: caller.projectId, resource: resource.name });
  }
}

/** Throws SubnetNotFound for subnets that the caller does not see. */
export async function requireVisibleSubnets(
  db: Queries,
  caller: Caller,
  wanted: readonly { readonly subnet_id?: string | undefined }[],
): Promise<void> {
  if (seesAll(caller)) return;
  for (const id of new Set(wanted.map(({ subnet_id }) => subnet_id)))
    if (id !== undefined) await requireVisible(db, caller, SUBNET, id, visibleSubnets);
}
