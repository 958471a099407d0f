import type { Queries } from '../../db/database.ts';
import { parseCidr } from '../../net/addresses.ts';
import { addressSet } from '../../net/prefix-sets.ts';
import type { DocumentOf } from '../../resources/attribute.ts';
import { SUBNETPOOL } from '../../resources/subnetpool.ts';
import { type Conditions, groupBy, tagConditions, tagsOf } from '../../store/listing.ts';
import { selectPlain } from '../../store/select.ts';
import type { View } from '../module.ts';
import { sharedAmong, sharedFilter } from '../rbac/sharing.ts';
import { shownPrefixes } from './prefixes.ts';

export type SubnetPoolDocument = DocumentOf<typeof SUBNETPOOL>;

/** Filters of subnet pools that are not plain columns. */
export const SUBNETPOOL_CONDITIONS: Conditions = {
  shared: sharedFilter(SUBNETPOOL),
  ...tagConditions('subnetpools'),
};

/** Loads the documents of subnet pools by id. */
export async function subnetPoolDocuments(
  db: Queries,
  ids: readonly string[],
  view?: View,
): Promise<ReadonlyMap<string, SubnetPoolDocument>> {
  const rows = await selectPlain(db, SUBNETPOOL, ids);
  if (rows.length === 0) return new Map();
  const list = rows.map(({ id }) => id);
  const shared = await sharedAmong(db, SUBNETPOOL, list, view);
  const prefixes = groupBy(
    await db.selectFrom('subnetpoolprefixes').selectAll().where('subnetpool_id', 'in', list).execute(),
    (row) => row.subnetpool_id,
  );
  const tags = await tagsOf(
    db,
    rows.map(({ attr }) => attr),
  );
  return new Map(
    rows.map(({ id, attr, shown }): [string, SubnetPoolDocument] => {
      const own = (prefixes.get(id) ?? []).flatMap(({ cidr }) => parseCidr(cidr) ?? []);
      const version = shown.ip_version === 6 ? 6 : 4;
      return [
        id,
        {
          ...shown,
          prefixes: shownPrefixes(version, addressSet(own)),
          shared: shared.has(id),
          tags: tags.get(attr) ?? [],
        },
      ];
    }),
  );
}
