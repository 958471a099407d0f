import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Caller } from '../auth/contract.ts';
import type { Trx } from '../db/database.ts';
import { neutronError } from '../resources/errors.ts';

/** Conditions on the rows that callers who are not administrators may see, for queries on the table of each name. */

/** Its own networks, shared and external ones. */
export const visibleNetworks = ({ projectId }: Caller): RawBuilder<SqlBool> =>
  sql<SqlBool>`(networks.project_id = ${projectId}
    or exists (select 1 from networkrbacs r where r.object_id = networks.id and r.target_project in ('*', ${projectId}))
    or exists (select 1 from externalnetworks x where x.network_id = networks.id))`;

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

/** Rows of a table that have the caller's project. */
export const ownedIn =
  (table: string) =>
  ({ projectId }: Caller): RawBuilder<SqlBool> =>
    sql<SqlBool>`${sql.ref(`${table}.project_id`)} = ${projectId}`;

/** Throws NetworkNotFound unless the caller may see the network. */
export async function requireVisibleNetwork(trx: Trx, caller: Caller, id: string): Promise<void> {
  if (caller.isAdmin) return;
  const network = trx.selectFrom('networks').select('id').where('id', '=', id).where(visibleNetworks(caller));
  if (!(await network.executeTakeFirst())) throw neutronError('NetworkNotFound', { id });
}
