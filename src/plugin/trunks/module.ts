import { randomUUID } from 'node:crypto';
import type { Caller } from '../../auth/contract.ts';
import type { Queries, Trx } from '../../db/database.ts';
import type { DocumentOf } from '../../resources/attribute.ts';
import { neutronError } from '../../resources/errors.ts';
import { type SubPort, TRUNK, type WantedSubPort } from '../../resources/trunk.ts';
import { groupBy, tagConditions, tagsOf } from '../../store/listing.ts';
import { deletePlain, insertPlain, plainOf, updatePlain } from '../../store/rows.ts';
import { selectPlain } from '../../store/select.ts';
import { bumpRevision, newStandard, requireCurrent } from '../../store/standard-attributes.ts';
import type { Core } from '../core.ts';
import { inserted, type ResourceModule } from '../module.ts';
import { addSubPorts, lockParent, lockTrunkedPort } from './subports.ts';

type Trunk = DocumentOf<typeof TRUNK>;

async function load(db: Queries, ids: readonly string[]): Promise<ReadonlyMap<string, Trunk>> {
  const rows = await selectPlain(db, TRUNK, ids);
  if (rows.length === 0) return new Map();
  const children = groupBy(
    await db
      .selectFrom('subports')
      .selectAll()
      .where('trunk_id', 'in', [...ids])
      .orderBy('segmentation_id')
      .execute(),
    (row) => row.trunk_id,
  );
  const tags = await tagsOf(
    db,
    rows.map(({ attr }) => attr),
  );
  return new Map(
    rows.map(({ id, attr, shown }): [string, Trunk] => {
      const sub_ports = (children.get(id) ?? []).map(
        ({ port_id, segmentation_id }): SubPort => ({ port_id, segmentation_type: 'vlan', segmentation_id }),
      );
      return [id, { ...shown, sub_ports, tags: tags.get(attr) ?? [] }];
    }),
  );
}

/** Returns a trunk, locked by its standard attributes until the transaction ends. Throws TrunkNotFound. */
async function lockTrunk(trx: Trx, { db }: Core, id: string): Promise<{ trunk: Trunk; attr: number }> {
  const row = await db
    .locked(trx.selectFrom('trunks').select('standard_attr_id').where('id', '=', id))
    .executeTakeFirst();
  const trunk = row && (await load(trx, [id])).get(id);
  if (!trunk) throw neutronError('TrunkNotFound', { id });
  return { trunk, attr: row.standard_attr_id };
}

/** Returns the trunk after a change of its subports: DOWN, until agents have wired it. */
async function changed(trx: Trx, id: string, attr: number, revision: number | undefined): Promise<Trunk> {
  await updatePlain(trx, TRUNK, { id, attr }, { status: 'DOWN' });
  await bumpRevision(trx, attr, revision);
  return inserted((await load(trx, [id])).get(id), 'trunk', id);
}

/** Throws TrunkDisabled for a trunk whose administrative state is down. */
function requireEnabled({ id, admin_state_up }: Trunk): void {
  if (!admin_state_up) throw neutronError('TrunkDisabled', { id });
}

async function add(
  trx: Trx,
  core: Core,
  caller: Caller,
  { id, wanted, revision }: { id: string; wanted: readonly WantedSubPort[]; revision: number | undefined },
): Promise<Trunk> {
  const { trunk, attr } = await lockTrunk(trx, core, id);
  requireEnabled(trunk);
  if (trunk.status === 'ERROR') throw neutronError('TrunkInErrorState', { id });
  const { mtu } = await lockTrunkedPort(trx, core, trunk.port_id);
  await addSubPorts(trx, core, caller, { id, portId: trunk.port_id, mtu }, wanted);
  return changed(trx, id, attr, revision);
}

async function remove(
  trx: Trx,
  core: Core,
  { id, wanted, revision }: { id: string; wanted: readonly WantedSubPort[]; revision: number | undefined },
): Promise<Trunk> {
  const { trunk, attr } = await lockTrunk(trx, core, id);
  requireEnabled(trunk);
  for (const { port_id } of wanted) {
    const { numDeletedRows } = await trx
      .deleteFrom('subports')
      .where('trunk_id', '=', id)
      .where('port_id', '=', port_id)
      .executeTakeFirst();
    if (numDeletedRows === 0n) throw neutronError('SubPortNotFound', { port: port_id, trunk: id });
  }
  return changed(trx, id, attr, revision);
}

/** Trunks. */
export const trunkModule = (core: Core): ResourceModule<typeof TRUNK> => ({
  resource: TRUNK,
  conditions: tagConditions('trunks'),
  load,
  async create(trx, caller, values) {
    const id = randomUUID();
    const { mtu } = await lockParent(trx, core, caller, values.port_id);
    await insertPlain(trx, TRUNK, { ...plainOf(TRUNK, values), id, status: 'DOWN', ...newStandard(1) });
    await addSubPorts(trx, core, caller, { id, portId: values.port_id, mtu }, values.sub_ports);
    return inserted((await load(trx, [id])).get(id), 'trunk', id);
  },
  async update(trx, _caller, id, changes, revision) {
    const { trunk, attr } = await lockTrunk(trx, core, id);
    requireCurrent(trunk.revision_number, revision);
    await updatePlain(trx, TRUNK, { id, attr }, plainOf(TRUNK, changes));
    await bumpRevision(trx, attr, revision);
    return inserted((await load(trx, [id])).get(id), 'trunk', id);
  },
  async delete(trx, _caller, id, revision) {
    const { trunk } = await lockTrunk(trx, core, id);
    requireCurrent(trunk.revision_number, revision);
    requireEnabled(trunk);
    // A machine uses the trunk as long as its parent port is bound.
    const { host } = await lockTrunkedPort(trx, core, trunk.port_id);
    if (host !== '') throw neutronError('TrunkInUse', { id });
    await deletePlain(trx, TRUNK, id);
  },
  actions: {
    add_subports: (caller, { id, body, revision }) =>
      core.db.transaction((trx) => add(trx, core, caller, { id, wanted: body.sub_ports, revision })),
    remove_subports: (_caller, { id, body, revision }) =>
      core.db.transaction((trx) => remove(trx, core, { id, wanted: body.sub_ports, revision })),
    async get_subports(_caller, { id }) {
      const trunk = (await load(core.db.kysely, [id])).get(id);
      if (!trunk) throw neutronError('TrunkNotFound', { id });
      return { sub_ports: trunk.sub_ports };
    },
  },
});
