import type { AddressAllocator } from '../../ipam/allocate.ts';
import { SUBNET } from '../../resources/subnet.ts';
import type { Core } from '../core.ts';
import type { ResourceModule } from '../module.ts';
import { requireUsableNetworks, visibleSubnets } from '../visibility.ts';
import { createSubnet } from './create.ts';
import { deleteSubnet } from './delete.ts';
import { SUBNET_CONDITIONS, subnetDocuments } from './documents.ts';
import { updateSubnet } from './update.ts';

/** Subnets. `allocator`: shared by the whole process. */
export const subnetModule = (core: Core, allocator: AddressAllocator): ResourceModule<typeof SUBNET> => ({
  resource: SUBNET,
  conditions: SUBNET_CONDITIONS,
  visible: visibleSubnets,
  load: subnetDocuments,
  admitCreate: (db, caller, items) => requireUsableNetworks(db, caller, SUBNET, items),
  create: (trx, caller, values) => createSubnet(trx, core, allocator, caller, values),
  update: (trx, _caller, id, changes, revision) => updateSubnet(trx, core, id, changes, revision),
  delete: (trx, _caller, id, revision) => deleteSubnet(trx, core, id, revision),
});
