import type { InsertResult } from 'kysely';
import type { Trx } from '../db/database.ts';
import { prepared } from '../db/prepared.ts';
import { nowText } from './standard-attributes.ts';

/**
 * What agents are told, by method: one catalogue of the events that rules write to the outbox, in the transaction of the change.
 * Methods of the `dhcp_agent` topic carry their payload as it goes over the wire (less `priority`, which the notifier adds);
 * those that begin with `l2.` go to the L2 agents' fanout topics, those that begin with `agent.` to the DHCP agent of one host:
 * their payload is `{ host, payload }`.
 */
export type OutboxMethod =
  | 'network_create_end'
  | 'network_update_end'
  | 'network_delete_end'
  | 'subnet_create_end'
  | 'subnet_update_end'
  | 'subnet_delete_end'
  | 'port_create_end'
  | 'port_update_end'
  | 'port_delete_end'
  | 'l2.port_update'
  | 'l2.port_delete'
  | 'l2.network_update'
  | 'l2.network_delete'
  | 'agent.network_create_end'
  | 'agent.network_delete_end'
  | 'agent.agent_updated';

interface NewEvent {
  readonly network_id: string;
  readonly method: OutboxMethod;
  readonly payload: string;
  readonly created_at: string;
}

const insert = prepared<NewEvent, InsertResult>((db, p) =>
  db.insertInto('outbox').values({
    network_id: p('network_id'),
    method: p('method'),
    payload: p('payload'),
    created_at: p('created_at'),
  }),
);

/**
 * Writes down in the change's own transaction what agents must hear of it; the notifier publishes it after the commit.
 * Gives the id of the row.
 */
export async function tellAgents(trx: Trx, networkId: string, method: OutboxMethod, payload: object): Promise<number> {
  const event = { network_id: networkId, method, payload: JSON.stringify(payload), created_at: nowText() };
  return Number((await insert(trx, event)).insertId);
}

/**
 * Writes down what the DHCP agent of one host must hear: that a network was given to it or taken off it, or that it was
 * enabled or disabled. `subjectId`: id of the network, or of the agent for `agent_updated`; events of one subject keep their order.
 */
export const tellDhcpAgent = (
  trx: Trx,
  subjectId: string,
  host: string,
  method: 'network_create_end' | 'network_delete_end' | 'agent_updated',
  payload: object,
): Promise<number> => tellAgents(trx, subjectId, `agent.${method}`, { host, payload });
