import type { Trx } from '../../db/database.ts';
import type { AnyModule } from '../module.ts';
import { EVERYBODY, projectsWithAccess } from './sharing.ts';

/** An access to withdraw: the entry of a target. */
export interface Withdrawal {
  readonly id: string;
  /** Project that owns the resource, which needs no entry. */
  readonly owner: string;
  /** Project that loses access; `*`: all. */
  readonly target: string;
  /** Target that gets access instead; default: none. As in Neutron, only `*` replaces an access that is in use. */
  readonly to?: string | undefined;
  readonly action?: string;
}

/**
 * Returns whether a project that has access only by this entry uses the resource, so that the entry must stay. `module`: of the
 * resource; its `usersOf` says who uses it.
 */
export async function isNeeded(
  trx: Trx,
  { resource, usersOf }: Pick<AnyModule, 'resource' | 'usersOf'>,
  { id, owner, target, to, action = 'access_as_shared' }: Withdrawal,
): Promise<boolean> {
  const left = new Set(await projectsWithAccess(trx, resource, id, action));
  left.delete(target);
  // As in Neutron, a single project that gets access instead counts for external networks only.
  if (to !== undefined && (to === EVERYBODY || action === 'access_as_external')) left.add(to);
  if (left.has(EVERYBODY)) return false;
  const users = (await usersOf?.(trx, id, action)) ?? [];
  return users.some(
    (project) =>
      // Resources without a project belong to routers and floating IPs, which count themselves.
      project !== owner && project !== '' && !left.has(project) && (target === EVERYBODY || project === target),
  );
}
