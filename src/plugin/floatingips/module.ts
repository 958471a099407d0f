import type { AddressAllocator } from '../../ipam/allocate.ts';
import { FLOATINGIP } from '../../resources/floatingip.ts';
import type { Core } from '../core.ts';
import type { ResourceModule } from '../module.ts';
import { createFloatingIp } from './create.ts';
import { deleteFloatingIp } from './delete.ts';
import { FLOATINGIP_CONDITIONS, floatingIpDocuments } from './documents.ts';
import { updateFloatingIp } from './update.ts';

/** Floating IPs. `allocator`: shared by the whole process. */
export const floatingIpModule = (core: Core, allocator: AddressAllocator): ResourceModule<typeof FLOATINGIP> => ({
  resource: FLOATINGIP,
  conditions: FLOATINGIP_CONDITIONS,
  load: floatingIpDocuments,
  create: (trx, caller, values) => createFloatingIp(trx, core, allocator, caller, values),
  update: (trx, caller, id, changes, revision) => updateFloatingIp(trx, core, caller, id, changes, revision),
  delete: (trx, _caller, id, revision) => deleteFloatingIp(trx, core.db, id, revision),
});
