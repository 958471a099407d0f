import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { RequestContext } from '../core.ts';

/** Which networks a caller sees: all for an administrator; else its own, shared and external ones. For queries on `networks`. */
export function visibleNetworks(context: RequestContext): RawBuilder<SqlBool> {
  if (context.isAdmin) return sql<SqlBool>`1 = 1`;
  return sql<SqlBool>`(networks.project_id = ${context.projectId}
    or exists (select 1 from networkrbacs r where r.object_id = networks.id and r.target_project in ('*', ${context.projectId}))
    or exists (select 1 from externalnetworks x where x.network_id = networks.id))`;
}
