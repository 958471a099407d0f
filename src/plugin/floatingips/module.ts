import type { AddressAllocator } from '../../ipam/allocate.ts';
import { FLOATINGIP } from '../../resources/floatingip.ts';
import type { Core } from '../core.ts';
import type { ResourceModule } from '../module.ts';
import { enqueueFloatingIpChanged } from '../nova-events.ts';
import { createFloatingIp } from './create.ts';
import { deleteFloatingIp } from './delete.ts';
import { FLOATINGIP_CONDITIONS, floatingIpDocuments } from './documents.ts';
import { updateFloatingIp } from './update.ts';

/** Floating IPs. `allocator`: shared by the whole process. */
export const floatingIpModule = (core: Core, allocator: AddressAllocator): ResourceModule<typeof FLOATINGIP> => ({
  resource: FLOATINGIP,
  conditions: FLOATINGIP_CONDITIONS,
  load: floatingIpDocuments,
  async create(trx, caller, values) {
    const document = await createFloatingIp(trx, core, allocator, caller, values);
    await enqueueFloatingIpChanged(trx, core, document.port_id);
    return document;
  },
  update: (trx, caller, id, changes, revision) => updateFloatingIp(trx, core, caller, id, changes, revision),
  async delete(trx, _caller, id, revision) {
    await enqueueFloatingIpChanged(trx, core, await deleteFloatingIp(trx, core.db, id, revision));
  },
});
