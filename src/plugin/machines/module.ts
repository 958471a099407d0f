import { randomUUID } from 'node:crypto';
import type { Queries, Trx } from '../../db/database.ts';
import type { DocumentOf } from '../../resources/attribute.ts';
import { neutronError } from '../../resources/errors.ts';
import { MACHINE } from '../../resources/machine.ts';
import { deletePlain, insertMain, plainOf, updatePlain } from '../../store/rows.ts';
import { selectPlain } from '../../store/select.ts';
import type { Core } from '../core.ts';
import { inserted, type ResourceModule, type View } from '../module.ts';
import { lockMachine } from './stored.ts';

type MachineDocument = DocumentOf<typeof MACHINE>;

async function load(
  db: Queries,
  ids: readonly string[],
  view: View = {},
): Promise<ReadonlyMap<string, MachineDocument>> {
  const rows = await selectPlain(db, MACHINE, ids);
  const isList = view.query !== undefined;
  return new Map(rows.map(({ id, shown: { user_data, ...shown } }) => [id, isList ? shown : { ...shown, user_data }]));
}

/** Throws MachineNotFound. */
async function require(trx: Trx, id: string): Promise<MachineDocument> {
  const found = (await load(trx, [id])).get(id);
  if (!found) throw neutronError('MachineNotFound', { id });
  return found;
}

/** Machines. */
export const machineModule = (core: Core): ResourceModule<typeof MACHINE> => ({
  resource: MACHINE,
  load,
  async create(trx, _caller, values) {
    const { device_id: device, project_id: project } = values;
    if (device === '' || !(await lockMachine(trx, core, device, project)))
      throw neutronError('MachineWithoutPort', { device, project });
    const id = randomUUID();
    if (!(await insertMain(trx, MACHINE, { ...plainOf(MACHINE, values), id, password: null })))
      throw neutronError('MachineExists', { device, project });
    return inserted((await load(trx, [id])).get(id), 'machine', id);
  },
  async update(trx, _caller, id, changes) {
    await require(trx, id);
    await updatePlain(trx, MACHINE, { id }, plainOf(MACHINE, changes));
    return require(trx, id);
  },
  async delete(trx, _caller, id) {
    await require(trx, id);
    await deletePlain(trx, MACHINE, id);
  },
});
