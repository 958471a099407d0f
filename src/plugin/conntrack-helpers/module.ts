import { randomUUID } from 'node:crypto';
import type { Queries, Trx } from '../../db/database.ts';
import type { DocumentOf } from '../../resources/attribute.ts';
import { CONNTRACK_HELPER } from '../../resources/conntrack-helper.ts';
import { neutronError } from '../../resources/errors.ts';
import { deletePlain, insertMain, plainOf, updatePlain } from '../../store/rows.ts';
import { selectPlain } from '../../store/select.ts';
import { bumpRevision } from '../../store/standard-attributes.ts';
import type { Core } from '../core.ts';
import { inserted, type ResourceModule } from '../module.ts';
import { enqueueRouterUpdate } from '../router-events.ts';
import { lockRouter } from '../router-lock.ts';

type ConntrackHelper = DocumentOf<typeof CONNTRACK_HELPER>;

async function load(db: Queries, ids: readonly string[]): Promise<ReadonlyMap<string, ConntrackHelper>> {
  const rows = await selectPlain(db, CONNTRACK_HELPER, ids);
  return new Map(rows.map(({ id, shown }) => [id, shown]));
}

/** Throws ConntrackHelperNotAllowed or InvalidProtocolForHelper. */
function requireAllowed({ config }: Core, { helper, protocol }: Pick<ConntrackHelper, 'helper' | 'protocol'>): void {
  const supported = config.DEFAULT.allowed_conntrack_helpers.flatMap((pair) => {
    const [name, of = ''] = pair.split(':');
    return name === helper ? [of] : [];
  });
  if (supported.length === 0) throw neutronError('ConntrackHelperNotAllowed', { helper });
  if (!supported.includes(protocol))
    throw neutronError('InvalidProtocolForHelper', { helper, protocol, supported: supported.join(', ') });
}

const duplicate = ({ helper, protocol, port }: Pick<ConntrackHelper, 'helper' | 'protocol' | 'port'>) =>
  neutronError('BadRequest', {
    resource: 'conntrack_helper',
    reason: `the router has another conntrack helper ${helper} for ${protocol} port ${port}`,
  });

/** Throws BadRequest if the locked router has an equal helper. */
async function rejectDuplicate(trx: Trx, router: string, wanted: ConntrackHelper): Promise<void> {
  const other = await trx
    .selectFrom('conntrack_helpers')
    .select('id')
    .where('router_id', '=', router)
    .where('protocol', '=', wanted.protocol)
    .where('port', '=', wanted.port)
    .where('helper', '=', wanted.helper)
    .where('id', '!=', wanted.id)
    .executeTakeFirst();
  if (other) throw duplicate(wanted);
}

/** Conntrack helpers of routers. */
export function conntrackHelperModule(core: Core): ResourceModule<typeof CONNTRACK_HELPER> {
  /** Locks the router, changes its helpers, records the change and notifies its agents. */
  async function change<T>(trx: Trx, routerId: string, work: () => Promise<T>): Promise<T> {
    const { standard_attr_id } = await lockRouter(trx, core.db, routerId);
    const result = await work();
    await bumpRevision(trx, standard_attr_id);
    await enqueueRouterUpdate(trx, routerId);
    return result;
  }

  return {
    resource: CONNTRACK_HELPER,
    load,
    create: (trx, _caller, values) =>
      change(trx, values.router_id, async () => {
        requireAllowed(core, values);
        const id = randomUUID();
        const row = { ...plainOf(CONNTRACK_HELPER, values), id, router_id: values.router_id };
        if (!(await insertMain(trx, CONNTRACK_HELPER, row))) throw duplicate(values);
        return inserted((await load(trx, [id])).get(id), 'conntrack_helper', id);
      }),
    update: (trx, _caller, id, changes, _revision, parent = '') =>
      change(trx, parent, async () => {
        const before = (await load(trx, [id])).get(id);
        if (!before) throw neutronError('ConntrackHelperNotFound', { id });
        const wanted = { ...before, ...changes };
        requireAllowed(core, wanted);
        await rejectDuplicate(trx, parent, wanted);
        await updatePlain(trx, CONNTRACK_HELPER, { id }, plainOf(CONNTRACK_HELPER, changes));
        return wanted;
      }),
    delete: (trx, _caller, id, _revision, parent = '') =>
      change(trx, parent, async () => {
        if (!(await load(trx, [id])).has(id)) throw neutronError('ConntrackHelperNotFound', { id });
        await deletePlain(trx, CONNTRACK_HELPER, id);
      }),
  };
}
