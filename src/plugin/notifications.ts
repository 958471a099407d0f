import { randomUUID } from 'node:crypto';
import type { Caller } from '../auth/contract.ts';
import type { Config } from '../config/options.ts';
import type { Trx } from '../db/database.ts';
import { NeutronError } from '../resources/errors.ts';
import { pythonTime } from '../time/python-time.ts';
import type { Core } from './core.ts';

/**
 * Notifications of changes through the API, for services such as Ceilometer: `port.create.start` with the request and
 * `port.create.end` with the document, as Neutron sends them. They are written in the transaction of the change, and sent after the
 * commit (`src/notifier/oslo`). Nothing is read or written here unless `[oslo_messaging_notifications] driver` says so.
 */

/** JSON of a notification. */
type Payload = Readonly<Record<string, unknown>>;

/** A change whose beginning and end are notified. */
export interface AnnouncedChange {
  /** `port.create` */
  readonly name: string;
  /** Payload of its start. */
  readonly start: Payload;
}

/** Returns whether changes are notified. */
export const areChangesNotified = ({ oslo_messaging_notifications: { driver } }: Config): boolean =>
  driver !== '' && driver !== 'noop';

/** Returns who caused a notification, as oslo.context's `to_dict` does; without the token, which is nobody else's business. */
function contextOf(caller: Caller, timestamp: string): Payload {
  const or = (value: string): string | null => (value === '' ? null : value);
  const [user, project, domain] = [or(caller.userId), or(caller.projectId), or(caller.domainId)];
  const [userDomain, projectDomain] = [or(caller.userDomainId), or(caller.projectDomainId)];
  return {
    user,
    project_id: project,
    system_scope: caller.systemScope ? 'all' : null,
    project,
    domain,
    user_domain: userDomain,
    project_domain: projectDomain,
    is_admin: caller.isAdmin,
    read_only: false,
    show_deleted: false,
    auth_token: null,
    request_id: caller.requestId,
    global_request_id: null,
    resource_uuid: null,
    roles: caller.roles,
    user_identity: [user, project, domain, userDomain, projectDomain].map((part) => part ?? '-').join(' '),
    is_admin_project: true,
    user_id: user,
    tenant_id: project,
    timestamp,
    tenant_name: null,
    project_name: null,
    user_name: null,
  };
}

interface Written {
  readonly message_id: string;
  readonly event_type: string;
  readonly context: string;
  readonly payload: string;
  readonly timestamp: string;
}

function written(caller: Caller, event_type: string, payload: Payload): Written {
  const timestamp = pythonTime(new Date());
  const context = JSON.stringify(contextOf(caller, timestamp));
  return { message_id: randomUUID(), event_type, context, payload: JSON.stringify(payload), timestamp };
}

const insert = (trx: Trx, rows: readonly Written[]) => trx.insertInto('notifications').values(rows).execute();

/** Enqueues a notification of something that has no start. */
export async function enqueueAnnouncement(
  trx: Trx,
  { config }: Core,
  caller: Caller,
  name: string,
  payload: Payload,
): Promise<void> {
  if (areChangesNotified(config)) await insert(trx, [written(caller, name, payload)]);
}

/** Runs the part of a change that writes, in one transaction. */
export type Commit<T> = (work: (trx: Trx) => Promise<T>) => Promise<T>;

/**
 * Performs a change, and enqueues the notifications of its start and of its end, whose payload `end` returns, in its transaction. As
 * in Neutron, a change that is refused has a start without an end.
 */
export async function announced<T>(
  core: Core,
  caller: Caller,
  change: AnnouncedChange | undefined,
  end: (result: T) => Payload,
  perform: (commit: Commit<T>) => Promise<T>,
): Promise<T> {
  const { db } = core;
  if (!change || !areChangesNotified(core.config)) return perform((work) => db.transaction(work));
  const start = written(caller, `${change.name}.start`, change.start);
  const commit: Commit<T> = (work) =>
    db.transaction(async (trx) => {
      const result = await work(trx);
      await insert(trx, [start, written(caller, `${change.name}.end`, end(result))]);
      return result;
    });
  try {
    return await perform(commit);
  } catch (error) {
    await announceRefusal(core, start, error);
    throw error;
  }
}

/** Enqueues the start of a change that was refused; never throws, because the caller must learn of the refusal. */
async function announceRefusal({ db, log }: Core, start: Written, error: unknown): Promise<void> {
  if (!(error instanceof NeutronError) || error.status >= 500) return;
  try {
    await db.transaction((trx) => insert(trx, [start]));
  } catch (failure) {
    const { message: reason } = failure as Error;
    log.debug({ reason, event: start.event_type }, 'the start of a refused change is not notified');
  }
}
