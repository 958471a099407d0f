import { addressSet } from '../../net/prefix-sets.ts';
import type { SUBNETPOOL } from '../../resources/subnetpool.ts';
import { bumpRevision, requireRevision } from '../../store/standard-attributes.ts';
import type { Core } from '../core.ts';
import type { HandlersOf } from '../module.ts';
import { lockPool, prefixPool, versionOf } from './lock.ts';
import { shownPrefixes, shrinkPrefixes, storedPrefixes } from './prefixes.ts';
import { changeSpace, prefixesFor } from './update.ts';

/** Handlers of the actions that add and remove prefixes. */
export const prefixHandlers = (
  core: Core,
): Pick<HandlersOf<typeof SUBNETPOOL>, 'add_prefixes' | 'remove_prefixes'> => ({
  add_prefixes: (caller, { id, body, revision }) =>
    core.db.transaction(async (trx) => {
      const pool = await lockPool(trx, core.db, id);
      await requireRevision(trx, pool.standard_attr_id, revision);
      const prefixes = addressSet([...(await storedPrefixes(trx, id)), ...prefixesFor(pool, body)]);
      await changeSpace(trx, core, caller, pool, { prefixes });
      await bumpRevision(trx, pool.standard_attr_id, revision);
      return { prefixes: shownPrefixes(versionOf(pool), prefixes) };
    }),
  remove_prefixes: (_caller, { id, body, revision }) =>
    core.db.transaction(async (trx) => {
      const pool = await lockPool(trx, core.db, id);
      await requireRevision(trx, pool.standard_attr_id, revision);
      const remaining = await shrinkPrefixes(trx, prefixPool(pool), body);
      if (remaining) await bumpRevision(trx, pool.standard_attr_id, revision);
      const left = remaining ?? (await storedPrefixes(trx, id));
      return { prefixes: shownPrefixes(versionOf(pool), left) };
    }),
});
