import { randomUUID } from 'node:crypto';
import type { Caller } from '../../auth/contract.ts';
import type { Queries, Trx } from '../../db/database.ts';
import { addressKey, parseCidr } from '../../net/addresses.ts';
import { ADDRESS_GROUP } from '../../resources/address-group.ts';
import type { DocumentOf } from '../../resources/attribute.ts';
import { neutronError } from '../../resources/errors.ts';
import { groupBy } from '../../store/listing.ts';
import { deletePlain, insertPlain, plainOf, updatePlain } from '../../store/rows.ts';
import { selectPlain } from '../../store/select.ts';
import { bumpRevision, newStandard, requireRevision } from '../../store/standard-attributes.ts';
import type { Core } from '../core.ts';
import type { ActionCall, ResourceModule, View } from '../module.ts';
import { sharedAmong } from '../rbac/sharing.ts';
import { enqueueRulesChanged, groupsNaming } from '../security-group-events.ts';

type AddressGroup = DocumentOf<typeof ADDRESS_GROUP> & { readonly shared: boolean };

/** Order of prefixes in documents: by version and address. */
const sortKey = (prefix: string): string => {
  const cidr = parseCidr(prefix);
  return cidr ? `${cidr.version} ${addressKey(cidr.version, cidr.first)} ${cidr.prefixLength + 1000}` : prefix;
};

function sorted(prefixes: readonly string[]): readonly string[] {
  if (prefixes.length < 2) return prefixes;
  const keyed = prefixes.map((prefix) => [sortKey(prefix), prefix] as const);
  return keyed.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, prefix]) => prefix);
}

async function load(db: Queries, ids: readonly string[], view?: View): Promise<ReadonlyMap<string, AddressGroup>> {
  const rows = await selectPlain(db, ADDRESS_GROUP, ids);
  const found = rows.map(({ id }) => id);
  if (found.length === 0) return new Map();
  const shared = await sharedAmong(db, ADDRESS_GROUP, found, view);
  const addresses = groupBy(
    await db.selectFrom('address_associations').selectAll().where('address_group_id', 'in', found).execute(),
    (row) => row.address_group_id,
  );
  return new Map(
    rows.map(({ id, shown }) => [
      id,
      {
        ...shown,
        addresses: sorted((addresses.get(id) ?? []).map(({ address }) => address)),
        shared: shared.has(id),
      },
    ]),
  );
}

async function insertAddresses(trx: Trx, id: string, addresses: readonly string[]): Promise<void> {
  if (addresses.length === 0) return;
  await trx
    .insertInto('address_associations')
    .values(addresses.map((address) => ({ address_group_id: id, address })))
    .execute();
}

const listed = (addresses: readonly string[]): string => `[${addresses.map((a) => `'${a}'`).join(', ')}]`;

/** Address groups. */
export function addressGroupModule({ db }: Core): ResourceModule<typeof ADDRESS_GROUP> {
  /** Locks a group until the transaction ends; returns the id of its standard attributes. Throws AddressGroupNotFound. */
  async function lock(trx: Trx, id: string): Promise<number> {
    const row = await db
      .locked(trx.selectFrom('address_groups').select('standard_attr_id').where('id', '=', id))
      .executeTakeFirst();
    if (!row) throw neutronError('AddressGroupNotFound', { id });
    return Number(row.standard_attr_id);
  }

  /** Changes the addresses of a group; returns its document with all attributes, as Neutron's actions do. */
  const change = (
    caller: Caller,
    { id, body, revision }: ActionCall<{ readonly addresses: readonly string[] }>,
    work: (trx: Trx, wanted: readonly string[], present: ReadonlySet<string>) => Promise<void>,
  ) =>
    db.transaction(async (trx) => {
      const attr = await lock(trx, id);
      await requireRevision(trx, attr, revision);
      const before = (await load(trx, [id])).get(id);
      const wanted = [...new Set(body.addresses)];
      await work(trx, wanted, new Set(before?.addresses));
      if (wanted.length > 0) {
        await bumpRevision(trx, attr, revision);
        await enqueueRulesChanged(trx, await groupsNaming(trx, 'remote_address_group_id', id));
      }
      const times = await trx
        .selectFrom('standardattributes')
        .select(['created_at', 'updated_at', 'revision_number'])
        .where('id', '=', attr)
        .executeTakeFirstOrThrow();
      const shown = (stored: string) => `${stored.replace(' ', 'T')}Z`;
      return {
        address_group: {
          ...(await load(trx, [id], { caller })).get(id),
          created_at: shown(times.created_at),
          updated_at: shown(times.updated_at),
          revision_number: Number(times.revision_number),
        },
      };
    });

  return {
    resource: ADDRESS_GROUP,
    load,
    async usersOf(trx, id) {
      const rows = await trx
        .selectFrom('securitygrouprules')
        .select('project_id')
        .distinct()
        .where('remote_address_group_id', '=', id)
        .execute();
      return rows.map((row) => row.project_id);
    },
    async create(trx, _caller, values) {
      const id = randomUUID();
      const { shown } = await insertPlain(trx, ADDRESS_GROUP, {
        ...plainOf(ADDRESS_GROUP, values),
        id,
        ...newStandard(),
      });
      await insertAddresses(trx, id, values.addresses);
      return { ...shown, addresses: sorted(values.addresses) };
    },
    async update(trx, caller, id, changes, revision) {
      const attr = await lock(trx, id);
      await updatePlain(trx, ADDRESS_GROUP, { id, attr }, plainOf(ADDRESS_GROUP, changes));
      await bumpRevision(trx, attr, revision);
      const after = (await load(trx, [id], { caller })).get(id);
      if (!after) throw neutronError('AddressGroupNotFound', { id });
      return after;
    },
    async delete(trx, _caller, id, revision) {
      const attr = await lock(trx, id);
      await requireRevision(trx, attr, revision);
      for (const table of ['securitygrouprules', 'securitygroupdefaultrules'] as const) {
        const rule = await trx
          .selectFrom(table)
          .select('id')
          .where('remote_address_group_id', '=', id)
          .limit(1)
          .executeTakeFirst();
        if (rule) throw neutronError('AddressGroupInUse', { id });
      }
      await deletePlain(trx, ADDRESS_GROUP, id);
    },
    actions: {
      add_addresses: (caller, call) =>
        change(caller, call, async (trx, wanted, present) => {
          const known = wanted.filter((address) => present.has(address));
          if (known.length > 0) throw neutronError('AddressesAlreadyExist', { addresses: listed(known), id: call.id });
          await insertAddresses(trx, call.id, wanted);
        }),
      remove_addresses: (caller, call) =>
        change(caller, call, async (trx, wanted, present) => {
          const missing = wanted.filter((address) => !present.has(address));
          if (missing.length > 0) throw neutronError('AddressesNotFound', { addresses: listed(missing), id: call.id });
          if (wanted.length === 0) return;
          await trx
            .deleteFrom('address_associations')
            .where('address_group_id', '=', call.id)
            .where('address', 'in', wanted)
            .execute();
        }),
    },
  };
}
