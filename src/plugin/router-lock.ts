import type { Database, Trx } from '../db/database.ts';
import { neutronError } from '../resources/errors.ts';

/**
 * Returns a router's row and locks it until the transaction ends: changes of its interfaces, gateways and routes depend on each other.
 * Throws RouterNotFound.
 */
export async function lockRouter(trx: Trx, db: Database, id: string) {
  const row = await db.locked(trx.selectFrom('routers').selectAll().where('id', '=', id)).executeTakeFirst();
  if (!row) throw neutronError('RouterNotFound', { id });
  const { ha, distributed } = await trx
    .selectFrom('router_extra_attributes')
    .select(['ha', 'distributed'])
    .where('router_id', '=', id)
    .executeTakeFirstOrThrow();
  return { ...row, ha: ha === 1, distributed: distributed === 1 };
}

export type LockedRouter = Awaited<ReturnType<typeof lockRouter>>;
