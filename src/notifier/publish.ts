import type { RpcTransport } from '../rpc/contract.ts';
import type { Cast } from './casts.ts';

/** Milliseconds that the transport tries to get rid of a message. */
const CAST_MS = 30_000;
/** After so many more it counts as failed, whatever the transport thinks. */
const GRACE_MS = 5_000;

/** A row of the outbox with the messages that it becomes; none when there is nobody to tell. */
export interface Announcement {
  readonly row: number;
  readonly casts: readonly Cast[];
}

export interface Published {
  /** Rows whose messages the transport has taken, and all earlier ones too. */
  readonly told: readonly number[];
  /** Why it has not taken a message of the row after these. */
  readonly failure?: unknown;
}

/**
 * Hands the announcements of one subject to the transport, in order. They do not wait for each other: the transport keeps
 * the order of what it is given, and confirms many messages at a time. From the first one that fails on they count as not told,
 * although later ones may have gone out: all are told again, so that what was heard last is in order. Never throws.
 */
export async function publish(
  transport: RpcTransport,
  announcements: readonly Announcement[],
  timeoutMs: number = CAST_MS,
  graceMs: number = GRACE_MS,
): Promise<Published> {
  const { promise: expired, reject: expire } = Promise.withResolvers<never>();
  expired.catch(() => {});
  const late = () => expire(new Error(`the transport did not take a message within ${timeoutMs} ms`));
  // The transport gives up by itself: what it still tries must not be handed over once more.
  const timer = setTimeout(late, timeoutMs + graceMs);
  const send = async ({ target, method, args, version }: Cast): Promise<unknown> =>
    Promise.race([transport.cast(target, method, args, { version, timeoutMs }), expired]);
  const results = await Promise.allSettled(announcements.map(({ casts }) => Promise.all(casts.map(send))));
  clearTimeout(timer);
  const told: number[] = [];
  for (const [index, { row }] of announcements.entries()) {
    const result = results[index];
    if (result?.status === 'rejected') return { told, failure: result.reason };
    told.push(row);
  }
  return { told };
}
