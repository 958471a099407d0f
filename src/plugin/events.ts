import type { InsertResult } from 'kysely';
import type { Trx } from '../db/database.ts';
import { prepared } from '../db/prepared.ts';
import type { RpcArgs } from '../rpc/contract.ts';
import type { AgentEvent, Audience } from '../rpc/events.ts';
import type { Notification } from '../scheduler/hosting-kind.ts';
import { nowText } from '../store/standard-attributes.ts';

interface NewEvent {
  readonly method: string;
  readonly ordering_key: string;
  readonly host: string | null;
  readonly payload: string;
  readonly created_at: string;
}

const insert = prepared<NewEvent, InsertResult>((db, p) =>
  db.insertInto('outbox').values({
    method: p('method'),
    ordering_key: p('ordering_key'),
    host: p('host'),
    payload: p('payload'),
    created_at: p('created_at'),
  }),
);

/** The ordering key of an event, under the name of its resource (`{ network: id }`), and the host if it is for a single one. */
type Addressed<Key extends string, A extends Audience> = Readonly<Record<Key, string>> &
  (A extends 'host' ? { readonly host: string } : { readonly host?: undefined });

/**
 * Enqueues an event of the catalogue in the transaction of the change; the notifier publishes it after the commit, at least once
 * and in order for its ordering key. Returns the id of the outbox row.
 */
export async function enqueueNotification<P extends RpcArgs, Key extends string, A extends Audience>(
  trx: Trx,
  { name, orderedBy }: AgentEvent<P, Key, A>,
  payload: NoInfer<P>,
  to: Addressed<Key, A>,
): Promise<number> {
  const { host }: { readonly host?: string | undefined } = to;
  const event = {
    method: name,
    ordering_key: to[orderedBy],
    host: host ?? null,
    payload: JSON.stringify(payload),
    created_at: nowText(),
  };
  return Number((await insert(trx, event)).insertId);
}

/** Enqueues a notification for the agent of one host. `orderingKey`: the resource or agent concerned. */
export const notifyHost = (trx: Trx, { event, payload }: Notification, orderingKey: string, host: string) =>
  enqueueNotification(trx, event, payload, { [event.orderedBy]: orderingKey, host });
