import { neutronError } from '../../resources/errors.ts';
import type { Core, ResourceRules } from '../core.ts';
import { type Condition, listIds, loadInOrder } from '../listing.ts';
import { createNetwork, type NetworkCreate } from './create.ts';
import { deleteNetwork } from './delete.ts';
import { NETWORK_LIST, networkDocuments } from './documents.ts';
import { type NetworkUpdate, updateNetwork } from './update.ts';
import { visibleNetworks } from './visible.ts';

/** The rules of networks. */
export function networkRules(core: Core): ResourceRules {
  const { db } = core;
  return {
    create: (_context, items) =>
      db.transaction(async (trx) => {
        const ids: string[] = [];
        for (const item of items) ids.push(await createNetwork(trx, core, item as NetworkCreate));
        const documents = await loadInOrder(ids, (chunk) => networkDocuments(trx, chunk));
        // Neutron's answer to a POST, and to nothing else, has is_default of networks that are not external.
        return documents.map((document) => ({ is_default: false, ...document }));
      }),
    list: async (context, query) => {
      const visible: readonly Condition[] = context.isAdmin ? [] : [visibleNetworks(context)];
      const ids = await listIds(db.kysely, NETWORK_LIST, query, visible);
      return loadInOrder(ids, (chunk) => networkDocuments(db.kysely, chunk));
    },
    show: async (context, id) => {
      const row = await db.kysely
        .selectFrom('networks')
        .select('id')
        .where('id', '=', id)
        .where(visibleNetworks(context))
        .executeTakeFirst();
      const document = row && (await networkDocuments(db.kysely, [id])).get(id);
      if (!document) throw neutronError('NetworkNotFound', { id });
      return document;
    },
    update: (context, id, changes, revision) =>
      db.transaction((trx) => updateNetwork(trx, core, context, id, changes as NetworkUpdate, revision)),
    delete: (context, id, revision) => db.transaction((trx) => deleteNetwork(trx, core, context, id, revision)),
  };
}
