import { NETWORK } from '../../resources/network.ts';
import type { Core } from '../core.ts';
import type { ResourceModule } from '../module.ts';
import { requireQosPolicy, requireQosPolicyChange } from '../qos/use.ts';
import type { Quotas } from '../quotas/limits.ts';
import { createForNetwork } from '../security-groups/first-use.ts';
import { createNetwork } from './create.ts';
import { deleteNetwork } from './delete.ts';
import { NETWORK_CONDITIONS, networkDocuments } from './documents.ts';
import { networkEntriesChanged, networkUsers } from './facets.ts';
import { updateNetwork } from './update.ts';

/** Networks. */
export const networkModule = (core: Core, quotas: Quotas): ResourceModule<typeof NETWORK> => ({
  resource: NETWORK,
  conditions: NETWORK_CONDITIONS,
  usersOf: networkUsers,
  entriesChanged: (trx, id) => networkEntriesChanged(trx, core, id),
  load: networkDocuments,
  // As in Neutron, only the response to a POST contains is_default of networks that are not external.
  async create(trx, caller, values) {
    await requireQosPolicy(trx, caller, values.qos_policy_id);
    await createForNetwork(trx, quotas, caller, values.project_id);
    return { is_default: false, ...(await createNetwork(trx, core, values)) };
  },
  async update(trx, caller, id, changes, revision) {
    await requireQosPolicyChange(trx, caller, { table: 'qos_network_policy_bindings', key: 'network_id', id }, changes);
    return updateNetwork(trx, core, id, changes, revision);
  },
  delete: (trx, _caller, id, revision) => deleteNetwork(trx, core, id, revision),
});
