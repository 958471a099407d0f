import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { RequestContext } from '../core.ts';

/** Which subnets a caller sees: all for an administrator; else its own, and those of its own and of shared networks. For queries on `subnets`. */
export function visibleSubnets(context: RequestContext): RawBuilder<SqlBool> {
  if (context.isAdmin) return sql<SqlBool>`1 = 1`;
  return sql<SqlBool>`(subnets.project_id = ${context.projectId}
    or exists (select 1 from networks n where n.id = subnets.network_id and n.project_id = ${context.projectId})
    or exists (select 1 from networkrbacs r where r.object_id = subnets.network_id and r.action = 'access_as_shared'
      and r.target_project in ('*', ${context.projectId})))`;
}
