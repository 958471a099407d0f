import type { Queries } from '../../db/database.ts';
import type { AddressAllocator } from '../../ipam/allocate.ts';
import { neutronError } from '../../resources/errors.ts';
import type { Core, RequestContext, ResourceRules } from '../core.ts';
import { listIds, loadInOrder } from '../listing.ts';
import { visibleNetworks } from '../networks/visible.ts';
import { createPort, type PortCreate } from './create.ts';
import { deletePort } from './delete.ts';
import { PORT_LIST, portDocuments, visiblePorts } from './documents.ts';
import { type PortUpdate, updatePort } from './update.ts';

async function requireVisible(db: Queries, context: RequestContext, id: string): Promise<void> {
  if (context.isAdmin) return;
  const row = await db
    .selectFrom('ports')
    .select('id')
    .where('id', '=', id)
    .where(visiblePorts(context))
    .executeTakeFirst();
  if (!row) throw neutronError('PortNotFound', { id });
}

async function requireUsableNetwork(db: Queries, context: RequestContext, id: string): Promise<void> {
  if (context.isAdmin) return;
  const row = await db
    .selectFrom('networks')
    .select('id')
    .where('id', '=', id)
    .where(visibleNetworks(context))
    .executeTakeFirst();
  if (!row) throw neutronError('NetworkNotFound', { id });
}

/** The rules of ports. `allocator` is the process's one, so that its hints serve all requests. */
export function portRules(core: Core, allocator: AddressAllocator): ResourceRules {
  const { db, config } = core;
  return {
    create: (context, items) =>
      db.transaction(async (trx) => {
        const documents = [];
        for (const item of items) {
          const values = item as PortCreate;
          await requireUsableNetwork(trx, context, values.network_id);
          documents.push(await createPort(trx, core, allocator, values));
        }
        return documents;
      }),
    list: async (context, query) => {
      const visible = context.isAdmin ? [] : [visiblePorts(context)];
      return loadInOrder(await listIds(db.kysely, PORT_LIST, query, visible), (ids) =>
        portDocuments(db.kysely, config, ids),
      );
    },
    show: async (context, id) => {
      await requireVisible(db.kysely, context, id);
      const document = (await portDocuments(db.kysely, config, [id])).get(id);
      if (!document) throw neutronError('PortNotFound', { id });
      return document;
    },
    update: (context, id, changes, revision) =>
      db.transaction(async (trx) => {
        await requireVisible(trx, context, id);
        return updatePort(trx, core, allocator, id, changes as PortUpdate, revision);
      }),
    delete: (context, id, revision) =>
      db.transaction(async (trx) => {
        await requireVisible(trx, context, id);
        await deletePort(trx, id, revision);
      }),
  };
}
