import type { Trx } from '../../db/database.ts';
import { neutronError } from '../../resources/errors.ts';
import type { Core } from '../core.ts';
import { portDocuments } from './documents.ts';
import { networkFacts } from './network-facts.ts';

/** Returns the data of a port's document, locked until the transaction ends. Throws PortNotFound. */
export async function lockPort(trx: Trx, core: Core, id: string) {
  const row = await core.db
    .locked(trx.selectFrom('ports').select(['network_id', 'standard_attr_id']).where('id', '=', id))
    .executeTakeFirst();
  const before = row && (await portDocuments(trx, core.config, [id])).get(id);
  const network = row && (await networkFacts(trx, row.network_id));
  if (!before || !network) throw neutronError('PortNotFound', { id });
  return { before, network, attr: row.standard_attr_id };
}
