import { sql } from 'kysely';
import type { Queries, Trx } from '../../db/database.ts';
import type { AddressAllocator } from '../../ipam/allocate.ts';
import type { DocumentOf } from '../../resources/attribute.ts';
import { neutronError } from '../../resources/errors.ts';
import { PORT_BINDING } from '../../resources/port-binding.ts';
import { aliveL2Agent } from '../../scheduler/l2-agents.ts';
import type { Core } from '../core.ts';
import type { ResourceModule } from '../module.ts';
import { type Binding, bindPort } from '../ports/binding.ts';
import { withSegmentForHost } from '../ports/bound-segment.ts';
import { candidatesOnHost } from '../ports/candidate-subnets.ts';
import { lockPort } from '../ports/lock.ts';
import { insertBindingLevel } from '../ports/rows.ts';
import { updatePort } from '../ports/update.ts';
import { isBound } from '../provisioning.ts';
import { activateBinding } from './activate.ts';

type BindingDocument = DocumentOf<typeof PORT_BINDING>;

/** Rows by `port/host`: a host names a binding only below its port. */
const SOURCE = sql`from (select concat(port_id, '/', host) as id, port_id, host, vnic_type, profile, vif_type, vif_details,
  status from ml2_port_bindings) as portbindings`;

async function load(db: Queries, ids: readonly string[]): Promise<ReadonlyMap<string, BindingDocument>> {
  if (ids.length === 0) return new Map();
  const ports = ids.map((id) => id.slice(0, id.indexOf('/')));
  const rows = await db.selectFrom('ml2_port_bindings').selectAll().where('port_id', 'in', ports).execute();
  return new Map(
    rows.map(({ port_id, host, profile, vif_details, vnic_type, vif_type, status }): [string, BindingDocument] => [
      `${port_id}/${host}`,
      {
        host,
        vnic_type: vnic_type as BindingDocument['vnic_type'],
        profile: JSON.parse(profile),
        vif_type,
        vif_details: JSON.parse(vif_details),
        status,
      },
    ]),
  );
}

/** Throws PortBindingNotFound. */
async function requireBinding(trx: Trx, port: string, host: string): Promise<BindingDocument> {
  const binding = (await load(trx, [`${port}/${host}`])).get(`${port}/${host}`);
  if (!binding) throw neutronError('PortBindingNotFound', { id: host });
  return binding;
}

/** Returns how the L2 agent of the host binds the port. Throws PortBindingError if none can, HostNotCompatibleWithFixedIps. */
async function boundTo(trx: Trx, core: Core, port: string, host: string, vnicType: string): Promise<Binding> {
  const { before, network } = await lockPort(trx, core, port);
  const { id, device_owner: deviceOwner, fixed_ips } = before;
  await candidatesOnHost(trx, network, { id, deviceOwner, fixed_ips }, host);
  const agent = await aliveL2Agent(trx, core.config, host);
  const addressed = network.subnets.filter((s) => before.fixed_ips.some((ip) => ip.subnet_id === s.id));
  const wired = await withSegmentForHost(trx, network, host, vnicType, agent, addressed);
  const binding = bindPort(host, vnicType, wired, agent);
  if (!isBound(binding.vifType)) throw neutronError('PortBindingError', { port, host });
  await trx.deleteFrom('ml2_port_binding_levels').where('port_id', '=', port).where('host', '=', host).execute();
  await insertBindingLevel(trx, port, wired, binding);
  return binding;
}

/** Bindings of ports to hosts. Only ports of machines (`compute:`) have several. */
export const portBindingModule = (core: Core, allocator: AddressAllocator): ResourceModule<typeof PORT_BINDING> => ({
  resource: PORT_BINDING,
  source: SOURCE,
  load,
  checkParent({ id, device_owner: owner }) {
    if (typeof owner !== 'string' || !owner.startsWith('compute:'))
      throw neutronError('BadRequest', {
        resource: 'port',
        reason: `port ${String(id)} of device owner '${String(owner)}' has no bindings of its own: only compute ports do`,
      });
  },
  async create(trx, _caller, { port_id: port, host, vnic_type, profile }) {
    await lockPort(trx, core, port);
    if ((await load(trx, [`${port}/${host}`])).has(`${port}/${host}`))
      throw neutronError('PortBindingAlreadyExists', { port, host });
    const { vifType, vifDetails } = await boundTo(trx, core, port, host, vnic_type);
    const row = { vnic_type, vif_type: vifType, status: 'INACTIVE' };
    await trx
      .insertInto('ml2_port_bindings')
      .values({
        ...row,
        port_id: port,
        host,
        profile: JSON.stringify(profile ?? {}),
        vif_details: JSON.stringify(vifDetails),
      })
      .execute();
    return { ...row, vnic_type, host, profile: profile ?? {}, vif_details: vifDetails };
  },
  async update(trx, _caller, host, changes, _revision, port = '') {
    const before = await requireBinding(trx, port, host);
    const { vnic_type = before.vnic_type, profile = before.profile } = changes;
    if (before.status === 'ACTIVE') {
      await updatePort(trx, core, allocator, port, { 'binding:vnic_type': vnic_type, 'binding:profile': profile });
      return requireBinding(trx, port, host);
    }
    const { vifType, vifDetails } = await boundTo(trx, core, port, host, vnic_type);
    await trx
      .updateTable('ml2_port_bindings')
      .set({
        vnic_type,
        profile: JSON.stringify(profile ?? {}),
        vif_type: vifType,
        vif_details: JSON.stringify(vifDetails),
      })
      .where('port_id', '=', port)
      .where('host', '=', host)
      .execute();
    return requireBinding(trx, port, host);
  },
  async delete(trx, _caller, host, _revision, port = '') {
    const { status } = await requireBinding(trx, port, host);
    // A port always has an active binding: without a host it is unbound.
    if (status === 'ACTIVE') await updatePort(trx, core, allocator, port, { 'binding:host_id': '' });
    else {
      await trx.deleteFrom('ml2_port_bindings').where('port_id', '=', port).where('host', '=', host).execute();
      await trx.deleteFrom('ml2_port_binding_levels').where('port_id', '=', port).where('host', '=', host).execute();
    }
  },
  actions: {
    activate: (_caller, { id: host, parent: port = '' }) =>
      core.db.transaction(async (trx) => {
        const { status } = await requireBinding(trx, port, host);
        if (status === 'ACTIVE') throw neutronError('PortBindingAlreadyActive', { port, host });
        await activateBinding(trx, core, port, host);
        return requireBinding(trx, port, host);
      }),
  },
});
