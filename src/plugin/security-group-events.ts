import type { Queries, Trx } from '../db/database.ts';
import { EVENTS } from '../rpc/events.ts';
import { enqueueNotification } from './events.ts';

const { security_groups_rule_updated: RULES, security_groups_member_updated: MEMBERS } = EVENTS;

async function enqueue(trx: Trx, event: typeof RULES | typeof MEMBERS, groups: readonly string[]): Promise<void> {
  const [first] = groups;
  if (first !== undefined)
    await enqueueNotification(trx, event, { security_groups: groups }, { security_group: first });
}

/** Notifies L2 agents that the rules of groups have changed: each requests the rules of those that its ports have. */
export const enqueueRulesChanged = (trx: Trx, groups: readonly string[]): Promise<void> => enqueue(trx, RULES, groups);

/**
 * Notifies L2 agents that ports of groups, or their addresses, have changed: each requests the members of those that rules of its
 * ports name.
 */
export const enqueueMembersChanged = (trx: Trx, groups: readonly string[]): Promise<void> =>
  enqueue(trx, MEMBERS, groups);

/** Returns the groups with rules that name a group or an address group as the remote side. */
export async function groupsNaming(
  db: Queries,
  remote: 'remote_group_id' | 'remote_address_group_id',
  id: string,
): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('securitygrouprules')
    .select('security_group_id')
    .distinct()
    .where(remote, '=', id)
    .execute();
  return rows.map((row) => row.security_group_id);
}

/** What decides which addresses a port contributes to its groups. */
interface Membership {
  readonly security_groups: readonly string[];
  readonly mac_address: string;
  readonly fixed_ips: readonly unknown[];
  readonly allowed_address_pairs: readonly unknown[];
}

/** Returns the groups whose members an update of a port changes. */
export function groupsOfChange(before: Membership, after: Membership): readonly string[] {
  const facts = ({ mac_address, fixed_ips, allowed_address_pairs }: Membership) =>
    JSON.stringify([mac_address, fixed_ips, allowed_address_pairs]);
  const moved = facts(before) !== facts(after);
  const all = new Set([...before.security_groups, ...after.security_groups]);
  return [...all].filter(
    (group) => moved || !before.security_groups.includes(group) || !after.security_groups.includes(group),
  );
}
