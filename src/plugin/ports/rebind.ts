import type { Trx } from '../../db/database.ts';
import type { AddressAllocator } from '../../ipam/allocate.ts';
import { aliveL2Agent } from '../../scheduler/l2-agents.ts';
import type { Core } from '../core.ts';
import { isBound } from '../provisioning.ts';
import { bindPort } from './binding.ts';
import { withSegmentForHost } from './bound-segment.ts';
import { networkFacts } from './network-facts.ts';
import { updatePort } from './update.ts';

/**
 * Retries the binding of ports of a host whose binding failed (its L2 agent seemed dead when they were created), as Neutron
 * does when the agent requests them. Ports that still cannot be bound, and ports that changed meanwhile, are left unchanged.
 * Returns whether any port was bound.
 */
export async function rebindPorts(
  core: Core,
  allocator: AddressAllocator,
  host: string,
  portIds: readonly string[],
): Promise<boolean> {
  const agent = await aliveL2Agent(core.db.kysely, core.config, host);
  if (!agent) return false;
  const bind = async (trx: Trx, id: string): Promise<boolean> => {
    const port = await trx
      .selectFrom('ports')
      .innerJoin('ml2_port_bindings as b', (join) =>
        join.onRef('b.port_id', '=', 'ports.id').on('b.status', '=', 'ACTIVE'),
      )
      .select(['ports.network_id', 'b.vnic_type'])
      .where('ports.id', '=', id)
      .where('b.host', '=', host)
      .where('b.vif_type', '=', 'binding_failed')
      .executeTakeFirst();
    const network = port && (await networkFacts(trx, port.network_id));
    if (!network) return false;
    const wired = await withSegmentForHost(trx, network, host, port.vnic_type, agent, []);
    if (!isBound(bindPort(host, port.vnic_type, wired, agent).vifType)) return false;
    await updatePort(trx, core, allocator, id, { 'binding:host_id': host });
    return true;
  };
  let bound = false;
  for (const id of portIds) bound = (await core.db.transaction((trx) => bind(trx, id))) || bound;
  return bound;
}
