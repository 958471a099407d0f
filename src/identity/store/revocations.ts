import type { Queries, Trx } from '../../db/database.ts';

/** Revokes a token, and forgets those that have expired. */
export async function revoke(trx: Trx, auditId: string, expiresAt: number, now: number): Promise<void> {
  await trx
    .deleteFrom('identity_revocations')
    .where('expires_at', '<', now - KEEP_MS)
    .execute();
  await trx.insertInto('identity_revocations').ignore().values({ audit_id: auditId, expires_at: expiresAt }).execute();
}

/** Revoked tokens are kept this long after they have expired, because the clocks of servers differ. */
const KEEP_MS = 3_600_000;

export async function isRevoked(db: Queries, auditId: string): Promise<boolean> {
  const query = db.selectFrom('identity_revocations').select('audit_id').where('audit_id', '=', auditId);
  return (await query.executeTakeFirst()) !== undefined;
}
