import type { AddressAllocator } from '../../ipam/allocate.ts';
import { ROUTER } from '../../resources/router.ts';
import type { Core } from '../core.ts';
import type { ResourceModule } from '../module.ts';
import { createRouter } from './create.ts';
import { deleteRouter } from './delete.ts';
import { ROUTER_CONDITIONS, routerDocuments } from './documents.ts';
import { updateRouter } from './update.ts';

/** Routers, without their actions. `allocator`: shared by the whole process. */
export const routerModule = (core: Core, allocator: AddressAllocator): ResourceModule<typeof ROUTER> => ({
  resource: ROUTER,
  conditions: ROUTER_CONDITIONS,
  load: routerDocuments,
  create: (trx, caller, values) => createRouter(trx, core, allocator, caller, values),
  update: (trx, caller, id, changes, revision) => updateRouter(trx, core, allocator, caller, id, changes, revision),
  delete: (trx, _caller, id, revision) => deleteRouter(trx, core, id, revision),
});
