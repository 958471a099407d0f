import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/**
 * The outbox is ordered by the id of any resource, not only of a network; the host that an event is for leaves the payload. Rows
 * that wait are kept: their events were named `l2.<method>` for all L2 agents and `agent.<method>` for the DHCP agent of one host.
 */
export const outboxOrderingKey: Migration = {
  name: '0004-outbox-ordering-key',
  async up(db, dialect) {
    if (dialect === 'mysql') await alterOnMysql().execute(db).catch(ignoreRepeated);
    else
      for (const statement of [
        sql`alter table outbox rename column network_id to ordering_key`,
        sql`alter table outbox add column host varchar(255)`,
        sql`drop index ix_outbox_by_network`,
        sql`create index ix_outbox_by_ordering_key on outbox (id, ordering_key)`,
      ])
        await statement.execute(db);
    const text = (path: string) => sql`json_extract(payload, ${sql.lit(path)})`;
    // MySQL assigns from left to right: payload and method are read before they change.
    await sql`update outbox set
        host = ${dialect === 'mysql' ? sql`json_unquote(${text('$.host')})` : text('$.host')},
        payload = ${text('$.payload')},
        method = case method
          when 'agent.network_create_end' then 'network_added_to_agent'
          when 'agent.network_delete_end' then 'network_removed_from_agent'
          else 'dhcp_agent_updated' end
      where method like 'agent.%'`.execute(db);
    await sql`update outbox set method = substr(method, 4) where method like 'l2.%'`.execute(db);
  },
};

/** One statement, which is done as a whole or not at all. */
const alterOnMysql = () => sql`alter table outbox
  rename column network_id to ordering_key,
  add column host varchar(255),
  drop index ix_outbox_by_network,
  add index ix_outbox_by_ordering_key (ordering_key, id)`;

const UNKNOWN_COLUMN = 1054;

/** A run that was killed after the statement has renamed the column already. */
function ignoreRepeated(error: unknown): void {
  if ((error as { errno?: unknown }).errno !== UNKNOWN_COLUMN) throw error;
}
