import { randomUUID } from 'node:crypto';
import type { Trx } from '../../db/database.ts';
import { neutronError } from '../../resources/errors.ts';
import { PORT_FORWARDING } from '../../resources/port-forwarding.ts';
import { deletePlain, insertPlain, updatePlain } from '../../store/rows.ts';
import { bumpRevision, requireRevision } from '../../store/standard-attributes.ts';
import type { Core } from '../core.ts';
import { type LockedFloatingIp, lockFloatingIp } from '../floatingips/lock.ts';
import { inserted, type ResourceModule } from '../module.ts';
import { releaseUnusedFloatingIp } from '../ports/translations.ts';
import { enqueueRouterUpdate } from '../router-events.ts';
import { checkForwarding } from './checks.ts';
import { PORT_FORWARDING_CONDITIONS, portForwardingDocuments } from './documents.ts';
import { wantedRange } from './ranges.ts';

const load = async (trx: Trx, id: string) =>
  inserted((await portForwardingDocuments(trx, [id])).get(id), 'port_forwarding', id);

/** Returns a port forwarding's row, whose floating IP is locked. Throws PortForwardingNotFound. */
async function requireRow(trx: Trx, floatingIpId: string, id: string) {
  const row = await trx
    .selectFrom('portforwardings')
    .selectAll()
    .where('id', '=', id)
    .where('floatingip_id', '=', floatingIpId)
    .executeTakeFirst();
  if (!row) throw neutronError('PortForwardingNotFound', { id });
  return row;
}

/** Records that port forwardings of a floating IP to a port have changed: as in Neutron, a change of both; notifies agents. */
async function changed(
  trx: Trx,
  { standard_attr_id }: LockedFloatingIp,
  portId: string,
  routerId: string | null,
): Promise<void> {
  await bumpRevision(trx, standard_attr_id);
  const port = await trx.selectFrom('ports').select('standard_attr_id').where('id', '=', portId).executeTakeFirst();
  if (port) await bumpRevision(trx, port.standard_attr_id);
  if (routerId !== null) await enqueueRouterUpdate(trx, routerId);
}

/** Port forwardings of floating IPs. */
export const portForwardingModule = (core: Core): ResourceModule<typeof PORT_FORWARDING> => ({
  resource: PORT_FORWARDING,
  conditions: PORT_FORWARDING_CONDITIONS,
  load: portForwardingDocuments,
  async create(trx, caller, values) {
    const floatingIp = await lockFloatingIp(trx, core.db, values.floatingip_id);
    const id = randomUUID();
    const { protocol, internal_port_id: portId, description } = values;
    const internal = wantedRange('internal', { port: values.internal_port, range: values.internal_port_range });
    const external = wantedRange('external', { port: values.external_port, range: values.external_port_range });
    const wanted = { id, protocol, portId, address: values.internal_ip_address, internal, external };
    const { address, routerId } = await checkForwarding(trx, core, caller, floatingIp, wanted);
    await trx.updateTable('floatingips').set({ router_id: routerId }).where('id', '=', floatingIp.id).execute();
    await insertPlain(trx, PORT_FORWARDING, {
      id,
      floatingip_id: floatingIp.id,
      protocol,
      internal_port_id: portId,
      internal_ip_address: address,
      internal_port: internal.first,
      internal_port_end: internal.last,
      external_port: external.first,
      external_port_end: external.last,
      description,
    });
    await changed(trx, floatingIp, portId, routerId);
    return load(trx, id);
  },
  async update(trx, caller, id, changes, revision, parent = '') {
    const floatingIp = await lockFloatingIp(trx, core.db, parent);
    const before = await requireRow(trx, parent, id);
    await requireRevision(trx, before.standard_attr_id, revision);
    const { internal_port_id: portId = before.internal_neutron_port_id, protocol = before.protocol } = changes;
    const moved = portId !== before.internal_neutron_port_id;
    const internal = wantedRange(
      'internal',
      { port: changes.internal_port, range: changes.internal_port_range },
      { first: before.internal_port_start, last: before.internal_port_end },
    );
    const external = wantedRange(
      'external',
      { port: changes.external_port, range: changes.external_port_range },
      { first: before.external_port_start, last: before.external_port_end },
    );
    const address = changes.internal_ip_address ?? (moved ? undefined : before.internal_ip_address);
    const wanted = { id, protocol, portId, address, internal, external };
    const found = await checkForwarding(trx, core, caller, floatingIp, wanted);
    await updatePlain(
      trx,
      PORT_FORWARDING,
      { id, attr: before.standard_attr_id },
      {
        ...(changes.protocol === undefined ? {} : { protocol: changes.protocol }),
        ...(changes.description === undefined ? {} : { description: changes.description }),
        internal_port_id: portId,
        internal_ip_address: found.address,
        internal_port: internal.first,
        internal_port_end: internal.last,
        external_port: external.first,
        external_port_end: external.last,
      },
    );
    await bumpRevision(trx, before.standard_attr_id, revision);
    await changed(trx, floatingIp, portId, found.routerId);
    return load(trx, id);
  },
  async delete(trx, _caller, id, revision, parent = '') {
    const floatingIp = await lockFloatingIp(trx, core.db, parent);
    const row = await requireRow(trx, parent, id);
    await requireRevision(trx, row.standard_attr_id, revision);
    await deletePlain(trx, PORT_FORWARDING, id);
    await releaseUnusedFloatingIp(trx, parent);
    await changed(trx, floatingIp, row.internal_neutron_port_id, floatingIp.router_id);
  },
});
