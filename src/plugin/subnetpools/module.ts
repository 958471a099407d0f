import { neutronError } from '../../resources/errors.ts';
import { SUBNETPOOL } from '../../resources/subnetpool.ts';
import { deletePlain } from '../../store/rows.ts';
import { requireRevision } from '../../store/standard-attributes.ts';
import type { Core } from '../core.ts';
import type { ResourceModule } from '../module.ts';
import { createSubnetPool } from './create.ts';
import { SUBNETPOOL_CONDITIONS, subnetPoolDocuments } from './documents.ts';
import { lockPool } from './lock.ts';
import { requireScopeFor } from './scope.ts';
import { updateSubnetPool } from './update.ts';

/** Subnet pools, without their actions. */
export const subnetPoolModule = (core: Core): ResourceModule<typeof SUBNETPOOL> => ({
  resource: SUBNETPOOL,
  conditions: SUBNETPOOL_CONDITIONS,
  load: subnetPoolDocuments,
  async usersOf(trx, id) {
    const rows = await trx
      .selectFrom('subnets')
      .select('project_id')
      .distinct()
      .where('subnetpool_id', '=', id)
      .execute();
    return rows.map(({ project_id }) => project_id);
  },
  requireShareable: (trx, id, target) => requireScopeFor(trx, core, id, target),
  create: (trx, caller, values) => createSubnetPool(trx, core, caller, values),
  update: (trx, caller, id, changes, revision) => updateSubnetPool(trx, core, caller, id, changes, revision),
  async delete(trx, _caller, id, revision) {
    const pool = await lockPool(trx, core.db, id);
    await requireRevision(trx, pool.standard_attr_id, revision);
    const used = await trx
      .selectFrom('subnets')
      .select('id')
      .where('subnetpool_id', '=', id)
      .limit(1)
      .executeTakeFirst();
    if (used) throw neutronError('SubnetPoolDeleteError', { reason: 'Subnet pool has existing allocations' });
    await deletePlain(trx, SUBNETPOOL, id);
  },
});
