import { randomUUID } from 'node:crypto';
import { type SqlBool, sql } from 'kysely';
import type { Trx } from '../../db/database.ts';
import { cidrsOverlap, parseCidr } from '../../net/addresses.ts';
import type { CreateOf } from '../../resources/attribute.ts';
import { neutronError } from '../../resources/errors.ts';
import { METERING_LABEL, METERING_LABEL_RULE } from '../../resources/metering.ts';
import { deletePlain, insertPlain, plainOf } from '../../store/rows.ts';
import { selectPlain } from '../../store/select.ts';
import type { ResourceModule } from '../module.ts';
import { ownedIn } from '../visibility.ts';

/** Metering labels. */
export const meteringLabelModule: ResourceModule<typeof METERING_LABEL> = {
  resource: METERING_LABEL,
  visible: (caller) => sql<SqlBool>`(${ownedIn('meteringlabels')(caller)} or meteringlabels.shared = 1)`,
  load: async (db, ids) => new Map((await selectPlain(db, METERING_LABEL, ids)).map(({ id, shown }) => [id, shown])),
  create: async (trx, _caller, values) =>
    (await insertPlain(trx, METERING_LABEL, { ...plainOf(METERING_LABEL, values), id: randomUUID() })).shown,
  async delete(trx, _caller, id) {
    if ((await selectPlain(trx, METERING_LABEL, [id])).length === 0)
      throw neutronError('MeteringLabelNotFound', { id });
    await deletePlain(trx, METERING_LABEL, id);
  },
};

type RuleCreate = CreateOf<typeof METERING_LABEL_RULE>;

/** Throws InvalidInput unless the rule has a remote prefix, or prefixes of source or destination. */
function requirePrefixes({ remote_ip_prefix: remote, source_ip_prefix: from, destination_ip_prefix: to }: RuleCreate) {
  if (remote !== null && (from !== null || to !== null))
    throw neutronError('InvalidInput', {
      reason: 'remote_ip_prefix excludes source_ip_prefix and destination_ip_prefix',
    });
  if (remote === null && from === null && to === null)
    throw neutronError('InvalidInput', {
      reason: 'one of remote_ip_prefix, source_ip_prefix, destination_ip_prefix is required',
    });
}

/** Throws MeteringLabelRuleOverlaps for a remote prefix that overlaps that of another rule of the label. */
async function rejectOverlap(trx: Trx, values: RuleCreate): Promise<void> {
  const { remote_ip_prefix: remote } = values;
  const wanted = remote === null ? undefined : parseCidr(remote);
  if (remote === null || !wanted) return;
  const others = await trx
    .selectFrom('meteringlabelrules')
    .select('remote_ip_prefix')
    .where('metering_label_id', '=', values.metering_label_id)
    .where('direction', '=', values.direction)
    .where('excluded', '=', values.excluded ? 1 : 0)
    .execute();
  for (const { remote_ip_prefix: text } of others) {
    const other = parseCidr(text ?? '');
    if (other && cidrsOverlap(wanted, other)) throw neutronError('MeteringLabelRuleOverlaps', { prefix: remote });
  }
}

/** Rules of metering labels. */
export const meteringRuleModule: ResourceModule<typeof METERING_LABEL_RULE> = {
  resource: METERING_LABEL_RULE,
  load: async (db, ids) =>
    new Map((await selectPlain(db, METERING_LABEL_RULE, ids)).map(({ id, shown }) => [id, shown])),
  async create(trx, _caller, values) {
    requirePrefixes(values);
    const label = values.metering_label_id;
    if ((await selectPlain(trx, METERING_LABEL, [label])).length === 0)
      throw neutronError('MeteringLabelNotFound', { id: label });
    await rejectOverlap(trx, values);
    return (await insertPlain(trx, METERING_LABEL_RULE, { ...plainOf(METERING_LABEL_RULE, values), id: randomUUID() }))
      .shown;
  },
  async delete(trx, _caller, id) {
    if ((await selectPlain(trx, METERING_LABEL_RULE, [id])).length === 0)
      throw neutronError('MeteringLabelRuleNotFound', { id });
    await deletePlain(trx, METERING_LABEL_RULE, id);
  },
};
