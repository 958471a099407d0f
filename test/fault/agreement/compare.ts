import { apiAgainstDatabase } from './api-against-database.ts';
import type { Facts } from './facts.ts';
import { hostAgainstApi } from './host-against-api.ts';
import { withinDatabase } from './within-database.ts';

/**
 * In what API, database and hosts do not agree, one sentence each; none when all is well: every row is what the API shows, no
 * address or MAC is given twice, nothing waits in the outbox, every network has its agents, and each of these has exactly the
 * lines, namespaces, devices and dnsmasq processes of its networks. Pure.
 */
export function disagreements(facts: Facts): readonly string[] {
  return [...apiAgainstDatabase(facts), ...withinDatabase(facts.database), ...hostAgainstApi(facts)];
}
