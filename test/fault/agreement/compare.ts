import { apiAgainstDatabase } from './api-against-database.ts';
import type { Facts } from './facts.ts';
import { hostAgainstApi } from './host-against-api.ts';
import { withinDatabase } from './within-database.ts';

/**
 * Returns a sentence for each discrepancy between API, database and hosts. They agree if every row matches the API, no
 * address or MAC is used twice, the outbox is empty, every network has its agents, and each of these has exactly the
 * lines, namespaces, devices and dnsmasq processes of its networks. Pure.
 */
export function disagreements(facts: Facts): readonly string[] {
  return [...apiAgainstDatabase(facts), ...withinDatabase(facts.database), ...hostAgainstApi(facts)];
}
