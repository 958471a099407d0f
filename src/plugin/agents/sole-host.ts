import type { Database } from '../../db/database.ts';

/** Returns the host of all agents in the database, dead or alive; undefined if there are none, or agents of several hosts. */
export async function soleHostOfAgents(db: Database): Promise<string | undefined> {
  const hosts = await db.kysely.selectFrom('agents').select('host').distinct().limit(2).execute();
  return hosts.length === 1 ? hosts[0]?.host : undefined;
}
