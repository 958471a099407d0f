import { neutronError } from '../../resources/errors.ts';
import type { Core, Document, ResourceRules } from '../core.ts';
import { type Condition, listIds, loadInOrder } from '../listing.ts';
import { createSubnet, type SubnetCreate } from './create.ts';
import { deleteSubnet } from './delete.ts';
import { SUBNET_LIST, subnetDocuments } from './documents.ts';
import { type SubnetUpdate, updateSubnet } from './update.ts';
import { visibleSubnets } from './visible.ts';

/** The rules of subnets. */
export function subnetRules(core: Core): ResourceRules {
  const { db } = core;
  return {
    create: (context, items) =>
      db.transaction(async (trx) => {
        const documents: Document[] = [];
        for (const item of items) documents.push(await createSubnet(trx, core, context, item as SubnetCreate));
        return documents;
      }),
    list: async (context, query) => {
      const visible: readonly Condition[] = context.isAdmin ? [] : [visibleSubnets(context)];
      const ids = await listIds(db.kysely, SUBNET_LIST, query, visible);
      return loadInOrder(ids, (chunk) => subnetDocuments(db.kysely, chunk));
    },
    show: async (context, id) => {
      const row = await db.kysely
        .selectFrom('subnets')
        .select('id')
        .where('id', '=', id)
        .where(visibleSubnets(context))
        .executeTakeFirst();
      const document = row && (await subnetDocuments(db.kysely, [id])).get(id);
      if (!document) throw neutronError('SubnetNotFound', { id });
      return document;
    },
    update: (context, id, changes, revision) =>
      db.transaction((trx) => updateSubnet(trx, core, context, id, changes as SubnetUpdate, revision)),
    delete: (context, id, revision) => db.transaction((trx) => deleteSubnet(trx, core, context, id, revision)),
  };
}
