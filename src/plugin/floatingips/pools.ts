import { sql } from 'kysely';
import { FLOATINGIP_POOL } from '../../resources/floatingip-pool.ts';
import type { ResourceModule } from '../module.ts';

/** The IPv4 subnets of external networks; as in Neutron, of all of them: their addresses are no secret. */
export const floatingIpPoolModule: ResourceModule<typeof FLOATINGIP_POOL> = {
  resource: FLOATINGIP_POOL,
  source: sql`from (select s.id, s.name, s.network_id, s.cidr from subnets s
    inner join externalnetworks x on x.network_id = s.network_id where s.ip_version = 4) as floatingip_pools`,
  async load(db, ids, view) {
    if (ids.length === 0) return new Map();
    const rows = await db
      .selectFrom('subnets')
      .select(['id as subnet_id', 'name as subnet_name', 'network_id', 'cidr'])
      .where('id', 'in', [...ids])
      .execute();
    const project_id = view?.caller?.projectId ?? '';
    return new Map(rows.map((row) => [row.subnet_id, { ...row, tenant_id: project_id, project_id }]));
  },
};
