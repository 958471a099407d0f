import type { AddressAllocator } from '../../ipam/allocate.ts';
import { PORT } from '../../resources/port.ts';
import type { Core } from '../core.ts';
import type { ResourceModule } from '../module.ts';
import { enqueuePortChanged, enqueuePortDeleted } from '../nova-events.ts';
import { requireQosPolicy, requireQosPolicyChange } from '../qos/use.ts';
import type { Quotas } from '../quotas/limits.ts';
import { requireUsableNetworks, requireVisibleSubnets, visiblePorts } from '../visibility.ts';
import { createPort } from './create.ts';
import { deletePort } from './delete.ts';
import { PORT_CONDITIONS, portDocuments } from './documents.ts';
import {
  notifyRouterOfAddresses,
  requireDeletable,
  requireOwnRouter,
  requireOwnRouterChange,
  requireSameDevice,
} from './router-ports.ts';
import { updatePort } from './update.ts';

/** Ports. `allocator`: shared by the whole process, so that all requests use its hints. */
export const portModule = (core: Core, allocator: AddressAllocator, quotas: Quotas): ResourceModule<typeof PORT> => ({
  resource: PORT,
  conditions: PORT_CONDITIONS,
  visible: visiblePorts,
  load: (db, ids) => portDocuments(db, core.config, ids),
  admitCreate: (db, caller, items) => requireUsableNetworks(db, caller, PORT, items),
  reservesQuota: true,
  async create(trx, caller, values) {
    await requireVisibleSubnets(trx, caller, values.fixed_ips ?? []);
    await requireQosPolicy(trx, caller, values.qos_policy_id);
    await requireOwnRouter(trx, caller, values.project_id, values);
    return createPort(trx, core, allocator, values, { caller, quotas });
  },
  async update(trx, caller, id, changes, revision) {
    await requireVisibleSubnets(trx, caller, changes.fixed_ips ?? []);
    await requireSameDevice(trx, id, changes);
    await requireOwnRouterChange(trx, caller, id, changes);
    await requireQosPolicyChange(trx, caller, { table: 'qos_port_policy_bindings', key: 'port_id', id }, changes);
    const port = await updatePort(trx, core, allocator, id, changes, revision, caller);
    await notifyRouterOfAddresses(trx, port, changes);
    await enqueuePortChanged(trx, core, port);
    return port;
  },
  async delete(trx, _caller, id, revision) {
    await requireDeletable(trx, id);
    await enqueuePortDeleted(trx, core, await deletePort(trx, id, revision));
  },
});
