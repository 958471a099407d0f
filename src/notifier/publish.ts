import type { RpcTransport } from '../rpc/contract.ts';
import type { Cast } from './casts.ts';

/** Timeout of a message in the transport, in milliseconds. */
const CAST_MS = 30_000;
/** Additional milliseconds after which a message is considered failed, regardless of the transport. */
const GRACE_MS = 5_000;

/** A row of the outbox with its messages; none when the event has no audience. */
export interface Announcement {
  readonly row: number;
  readonly casts: readonly Cast[];
}

export interface Published {
  /** Rows whose messages the transport has accepted, as it has those of all earlier rows. */
  readonly published: readonly number[];
  /** Why it has not accepted a message of the row after these. */
  readonly failure?: unknown;
}

/**
 * Hands the announcements of one ordering key to the transport, in order. They do not wait for each other: the transport keeps
 * their order and confirms many messages at a time. From the first failure on they count as not published, although later ones
 * may have gone out: all are published again, so that what agents receive last is in order. Never throws.
 */
export async function publish(
  transport: Pick<RpcTransport, 'cast'>,
  announcements: readonly Announcement[],
  timeoutMs: number = CAST_MS,
  graceMs: number = GRACE_MS,
): Promise<Published> {
  const { promise: expired, reject: expire } = Promise.withResolvers<never>();
  expired.catch(() => {});
  const late = () => expire(new Error(`the transport did not take a message within ${timeoutMs} ms`));
  // The transport has its own timeout: a message that it still tries to send must not be handed over again.
  const timer = setTimeout(late, timeoutMs + graceMs);
  const send = async ({ target, method, args, version }: Cast): Promise<unknown> =>
    Promise.race([transport.cast(target, method, args, { version, timeoutMs }), expired]);
  const results = await Promise.allSettled(announcements.map(({ casts }) => Promise.all(casts.map(send))));
  clearTimeout(timer);
  const published: number[] = [];
  for (const [index, { row }] of announcements.entries()) {
    const result = results[index];
    if (result?.status === 'rejected') return { published, failure: result.reason };
    published.push(row);
  }
  return { published };
}
