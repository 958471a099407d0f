import { sql } from 'kysely';
import type { Caller } from '../../auth/contract.ts';
import type { Trx } from '../../db/database.ts';
import { NeutronError, neutronError } from '../../resources/errors.ts';
import { QOS_POLICY } from '../../resources/qos.ts';
import { requireVisible, seesAll } from '../visibility.ts';

/** Throws QosPolicyNotFound for a policy that does not exist or that the caller may not see. */
export async function requireQosPolicy(trx: Trx, caller: Caller, id: string | null | undefined): Promise<void> {
  if (id !== null && id !== undefined) await requireVisible(trx, caller, QOS_POLICY, id);
}

/** Where the policy of a resource is stored: the table, and its column with the resource's id. */
interface Use {
  readonly table: string;
  readonly key: string;
  readonly id: string;
}

/**
 * Checks a change of a resource's policy. Throws QosPolicyNotFound for a new one, and PolicyRemoveAuthorizationError if the caller may
 * not see the present one, which somebody else has therefore set.
 */
export async function requireQosPolicyChange(
  trx: Trx,
  caller: Caller,
  { table, key, id }: Use,
  { qos_policy_id: wanted }: { readonly qos_policy_id?: string | null },
): Promise<void> {
  if (wanted === undefined) return;
  await requireQosPolicy(trx, caller, wanted);
  if (seesAll(caller)) return;
  const { rows } = await sql<{ policy: string }>`select policy_id as policy from ${sql.table(table)}
    where ${sql.ref(key)} = ${id}`.execute(trx);
  const [present] = rows;
  if (!present || present.policy === wanted) return;
  try {
    await requireVisible(trx, caller, QOS_POLICY, present.policy);
  } catch (error) {
    if (error instanceof NeutronError) throw neutronError('PolicyRemoveAuthorizationError', { id: present.policy });
    throw error;
  }
}
