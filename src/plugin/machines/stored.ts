import { randomUUID } from 'node:crypto';
import type { Trx } from '../../db/database.ts';
import { MACHINE } from '../../resources/machine.ts';
import { insertMain } from '../../store/rows.ts';
import type { Core } from '../core.ts';

/**
 * Locks a port of a machine until the transaction ends, so that the machine does not lose its last port meanwhile. Returns whether it
 * has one.
 */
export async function lockMachine(trx: Trx, core: Core, device: string, project: string): Promise<boolean> {
  const query = trx.selectFrom('ports').select('id').where('device_id', '=', device).where('project_id', '=', project);
  return (await core.db.locked(query.orderBy('id').limit(1)).executeTakeFirst()) !== undefined;
}

/** Removes what is stored of machines with this device_id that have no port. */
export async function forgetMachines(trx: Trx, device: string): Promise<void> {
  // Locks the rows: of several transactions that each remove a port, one after the other sees which ports are left.
  await trx
    .updateTable('machines')
    .set((eb) => ({ name: eb.ref('name') }))
    .where('device_id', '=', device)
    .execute();
  await trx
    .deleteFrom('machines')
    .where('device_id', '=', device)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('ports')
            .select('ports.id')
            .whereRef('ports.device_id', '=', 'machines.device_id')
            .whereRef('ports.project_id', '=', 'machines.project_id'),
        ),
      ),
    )
    .execute();
}

/** Stores the password of a machine with ports. Returns false, and changes nothing, if it has one, or no port. */
export async function storePassword(
  trx: Trx,
  core: Core,
  device: string,
  project: string,
  password: string,
): Promise<boolean> {
  if (!(await lockMachine(trx, core, device, project))) return false;
  const nothing = { name: '', user_data: null, public_keys: {}, password: null };
  const owner = { tenant_id: project, project_id: project };
  // If it is known already, this changes nothing.
  await insertMain(trx, MACHINE, { ...nothing, ...owner, id: randomUUID(), device_id: device });
  const { numUpdatedRows } = await trx
    .updateTable('machines')
    .set({ password })
    .where('device_id', '=', device)
    .where('project_id', '=', project)
    .where('password', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}
