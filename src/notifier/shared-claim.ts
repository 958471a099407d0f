import type { Database } from '../db/database.ts';
import type { OutboxClaim } from './claim.ts';

/**
 * The claim of one of several servers on a database (either dialect). A pass of the relay holds a lease row for each network that
 * it tells of; nobody else is given these networks' rows meanwhile, so each network's events stay in order and are told once.
 * The leases go with the rows when the pass is done. Those of a server that was killed expire after 10 s by the database's clock.
 */
export function sharedClaim(db: Database): OutboxClaim {
  void db;
  throw new Error('being built');
}
