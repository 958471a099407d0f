import type { UpdateResult } from 'kysely';
import type { Trx } from '../../db/database.ts';
import { prepared } from '../../db/prepared.ts';
import { neutronError } from '../../resources/errors.ts';
import { EVENTS } from '../../rpc/events.ts';
import { requireRevision } from '../../store/standard-attributes.ts';
import { enqueueNotification } from '../events.ts';
import { forgetMachines } from '../machines/stored.ts';
import type { NovaPort } from '../nova-events.ts';
import { isBound } from '../provisioning.ts';
import { enqueueMembersChanged } from '../security-group-events.ts';
import { releaseTranslations } from './translations.ts';

interface Found {
  readonly network_id: string;
  readonly device_id: string;
  readonly device_owner: string;
  readonly standard_attr_id: number;
  readonly vif_type: string;
  /** Trunks of which it is the parent port, and a subport. */
  readonly parent_of: string | null;
  readonly child_of: string | null;
  /** Whether routers translate some of its addresses. */
  readonly translated: number;
  /** Whether metadata of its machine is stored. */
  readonly described: number;
}

/** Locks the row: until the transaction ends, no floating IP is associated with the port. */
const lock = prepared<{ id: string }, UpdateResult>((db, p) =>
  db
    .updateTable('ports')
    .set((eb) => ({ status: eb.ref('status') }))
    .where('id', '=', p('id')),
);

const find = prepared<{ id: string }, Found>((db, p) =>
  db
    .selectFrom('ports')
    .innerJoin('ml2_port_bindings as b', (join) =>
      join.onRef('b.port_id', '=', 'ports.id').on('b.status', '=', 'ACTIVE'),
    )
    .leftJoin('trunks as t', 't.port_id', 'ports.id')
    .leftJoin('subports as s', 's.port_id', 'ports.id')
    .select(['ports.network_id', 'ports.device_id', 'ports.device_owner', 'ports.standard_attr_id', 'b.vif_type'])
    .select(['t.id as parent_of', 's.trunk_id as child_of'])
    .select((eb) =>
      eb
        .or([
          eb.exists(eb.selectFrom('floatingips').select('id').whereRef('fixed_port_id', '=', 'ports.id')),
          eb.exists(
            eb.selectFrom('portforwardings').select('id').whereRef('internal_neutron_port_id', '=', 'ports.id'),
          ),
          eb.exists(eb.selectFrom('ndp_proxies').select('id').whereRef('port_id', '=', 'ports.id')),
        ])
        .$castTo<number>()
        .as('translated'),
    )
    .select((eb) =>
      eb
        .exists(eb.selectFrom('machines').select('machines.id').whereRef('machines.device_id', '=', 'ports.device_id'))
        .$castTo<number>()
        .as('described'),
    )
    .where('ports.id', '=', p('id')),
);
const addresses = prepared<{ id: string }, { subnet_id: string; ip_address: string }>((db, p) =>
  db.selectFrom('ipallocations').select(['subnet_id', 'ip_address']).where('port_id', '=', p('id')),
);
const groupsOf = prepared<{ id: string }, { security_group_id: string }>((db, p) =>
  db.selectFrom('securitygroupportbindings').select('security_group_id').where('port_id', '=', p('id')),
);

// The port's row and all dependent rows are deleted with the standard attributes by cascade.
const remove = prepared<{ attr: number }, unknown>((db, p) =>
  db.deleteFrom('standardattributes').where('id', '=', p('attr')),
);

/** Deletes a port with all its rows, and enqueues the notifications of agents; returns whose it was. Throws PortNotFound. */
export async function deletePort(trx: Trx, id: string, revision?: number): Promise<NovaPort> {
  await lock(trx, { id });
  const found = (await find(trx, { id })).rows[0];
  if (!found) throw neutronError('PortNotFound', { id });
  const { parent_of: parent, child_of: child } = found;
  if (parent !== null) throw neutronError('PortInUseAsTrunkParent', { port: id, trunk: parent });
  if (child !== null) throw neutronError('PortInUseAsSubPort', { port: id, trunk: child });
  await requireRevision(trx, found.standard_attr_id, revision);
  if (found.translated === 1) await releaseTranslations(trx, id);
  const fixedIps = (await addresses(trx, { id })).rows;
  const groups = (await groupsOf(trx, { id })).rows.map((row) => row.security_group_id);
  await remove(trx, { attr: found.standard_attr_id });
  const { network_id, device_id, device_owner } = found;
  if (found.described === 1) await forgetMachines(trx, device_id);
  const gone = { port_id: id, network_id, fixed_ips: fixedIps };
  await enqueueNotification(trx, EVENTS.port_delete_end, gone, { network: network_id });
  await enqueueMembersChanged(trx, groups);
  if (isBound(found.vif_type))
    await enqueueNotification(trx, EVENTS.port_delete, { port_id: id }, { network: network_id });
  return { id, device_id, device_owner };
}
