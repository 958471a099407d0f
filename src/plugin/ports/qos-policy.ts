import type { Trx } from '../../db/database.ts';
import type { Core } from '../core.ts';
import { rulesOfPolicy } from '../qos/policies.ts';
import { type ResourceRequest, resourceRequests } from '../qos/resource-request.ts';
import { requireRulesOnPort } from '../qos/supported.ts';
import { type PortDocument, policyInForce } from './documents.ts';
import type { NetworkFacts } from './network-facts.ts';

type Port = Pick<PortDocument, 'id' | 'qos_policy_id' | 'device_owner' | 'binding:vnic_type' | 'binding:vif_type'>;

/**
 * Returns what a new or changed port requires of Placement because of its QoS policy; null: nothing. Throws QosRuleNotSupported for a
 * policy that it did not have before. `before`: its own policy before the change; undefined: it is new.
 */
export async function admitQosPolicy(
  trx: Trx,
  core: Core,
  network: NetworkFacts,
  port: Port,
  before?: string | null,
): Promise<ResourceRequest | null> {
  const policy = policyInForce(port, network.qosPolicyId);
  if (policy === null) return null;
  const vnicType = port['binding:vnic_type'];
  const rules = await rulesOfPolicy(trx, policy);
  if (before !== port.qos_policy_id)
    requireRulesOnPort(core, rules, {
      id: port.id,
      physicalNetwork: network.physicalNetwork,
      port: { vifType: port['binding:vif_type'], vnicType },
    });
  const requesting = { id: port.id, network: network.id, vnicType, policy };
  const requests = await resourceRequests(trx, [requesting], new Map([[policy, rules]]));
  return requests.get(port.id) ?? null;
}
