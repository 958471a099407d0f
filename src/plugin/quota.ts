import type { Trx } from '../db/database.ts';

/** Limits how many resources a project can have. */
export interface Quotas {
  /**
   * Reserves quota for `count` new resources of a project, in the transaction that creates them: exact even with concurrent
   * creations. Throws OverQuota.
   */
  reserve(trx: Trx, resource: string, projectId: string, count: number): Promise<void>;
}

/** No limits. */
export const UNLIMITED: Quotas = { reserve: async () => undefined };
