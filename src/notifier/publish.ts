import type { RpcTransport } from '../rpc/contract.ts';
import type { Cast } from './casts.ts';

/** Milliseconds until a message that the transport has not taken counts as failed. */
const CAST_MS = 30_000;

/** A row of the outbox with the messages that it becomes; none when there is nobody to tell. */
export interface Announcement {
  readonly row: number;
  readonly casts: readonly Cast[];
}

export interface Published {
  /** Rows whose messages the transport has taken, and all earlier ones of their subject too. */
  readonly told: readonly number[];
  /** Subjects with a message that it has not taken, and why. */
  readonly failed: ReadonlyMap<string, unknown>;
}

/**
 * Hands the announcements of each subject to the transport, in order. They do not wait for each other: the transport keeps
 * the order of what it is given, and confirms many messages at a time. From the first one of a subject that fails on, the
 * subject counts as not told, although later ones may have gone out: all are told again, so that what was heard last is in order.
 */
export async function publish(
  transport: RpcTransport,
  subjects: ReadonlyMap<string, readonly Announcement[]>,
  timeoutMs: number = CAST_MS,
): Promise<Published> {
  const { promise: expired, reject: expire } = Promise.withResolvers<never>();
  expired.catch(() => {});
  const timer = setTimeout(
    () => expire(new Error(`the transport did not take a message within ${timeoutMs} ms`)),
    timeoutMs,
  );
  const send = ({ casts }: Announcement): Promise<unknown> =>
    Promise.all(
      casts.map(({ target, method, args, version }) =>
        Promise.race([transport.cast(target, method, args, { version }), expired]),
      ),
    );
  const told: number[] = [];
  const failed = new Map<string, unknown>();
  const tell = async ([subject, announcements]: [string, readonly Announcement[]]): Promise<void> => {
    const results = await Promise.allSettled(announcements.map(send));
    for (const [index, { row }] of announcements.entries()) {
      const result = results[index];
      if (result?.status === 'rejected') {
        failed.set(subject, result.reason);
        return;
      }
      told.push(row);
    }
  };
  await Promise.all([...subjects].map(tell));
  clearTimeout(timer);
  return { told, failed };
}
