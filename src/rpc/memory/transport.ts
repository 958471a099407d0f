import type pino from 'pino';
import type { RpcArgs, RpcCallOptions, RpcEndpoint, RpcTarget, RpcTransport } from '../contract.ts';
import {
  MessagingTimeout,
  NoSuchMethod,
  QueueFull,
  RemoteError,
  TransportClosed,
  UnsupportedVersion,
} from '../errors.ts';
import { type Message, Queue } from './queue.ts';
import { MemoryServer } from './server.ts';

/** Maximum number of messages that wait in one queue; beyond it senders get QueueFull. */
const MAX_QUEUED = 100_000;
/** Messages delivered before other events (sockets, timers) get their turn. */
const BATCH = 64;
const DEFAULT_TIMEOUT_MS = 60_000;

/**
 * Returns the transport for servers and agents of one process. Queues are like RabbitMQ's: one for each topic, shared by its
 * servers; one for each server of a topic; one for each server's fanout. Messages are JSON in transit, as on the wire.
 *
 * Differences: a cast to a queue without a server is dropped (agents sync when they start), and casts that
 * wait when the last server of a queue closes are dropped with it. A call without a server waits for one until it times out.
 */
export function createMemoryTransport(options: { log: pino.Logger; maxQueued?: number }): RpcTransport {
  return new MemoryTransport(options.log, options.maxQueued ?? MAX_QUEUED);
}

class MemoryTransport implements RpcTransport {
  readonly #log: pino.Logger;
  readonly #maxQueued: number;
  readonly #queues = new Map<string, Queue>();
  /** Fanout queues of a topic's servers. */
  readonly #fanouts = new Map<string, Set<Queue>>();
  readonly #servers = new Set<MemoryServer>();
  readonly #pendingCalls = new Set<(error: Error) => void>();
  /** Queues that may have something to deliver, in the order they got it. */
  readonly #ready = new Set<Queue>();
  #scheduled = false;
  #closed = false;

  constructor(log: pino.Logger, maxQueued: number) {
    this.#log = log;
    this.#maxQueued = maxQueued;
  }

  call(target: RpcTarget, method: string, args: RpcArgs, options: RpcCallOptions = {}): Promise<unknown> {
    const { version = '1.0', timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    try {
      if (this.#closed) throw new TransportClosed(`call of ${method} on ${target.topic}`);
      if (target.fanout) throw new TypeError(`call of ${method} on ${target.topic}: only a cast can go to all servers`);
      const text = encode(target, method, args);
      const queue = this.#queue(queueName(target));

      const end = (): void => {
        clearTimeout(timer);
        takeOff();
        this.#pendingCalls.delete(fail);
        this.#forget(queue);
      };
      const fail = (error: Error): void => {
        end();
        reject(error);
      };
      const takeOff = this.#put(queue, {
        method,
        version,
        text,
        answer: (outcome) => {
          if ('failure' in outcome) return fail(asSeenByCaller(target.topic, method, outcome.failure));
          end();
          resolve(JSON.parse(outcome.result));
        },
      });
      const timer = setTimeout(() => fail(new MessagingTimeout(target.topic, method, timeoutMs)), timeoutMs);
      this.#pendingCalls.add(fail);
    } catch (error) {
      reject(error);
    }
    return promise;
  }

  async cast(target: RpcTarget, method: string, args: RpcArgs, options: RpcCallOptions = {}): Promise<void> {
    if (this.#closed) throw new TransportClosed(`cast of ${method} on ${target.topic}`);
    const message: Message = { method, version: options.version ?? '1.0', text: encode(target, method, args) };
    if (target.fanout) {
      // One receiver that does not keep up must not keep the message from the others.
      let full: unknown;
      for (const queue of this.#fanouts.get(target.topic) ?? []) {
        try {
          this.#put(queue, message);
        } catch (error) {
          full ??= error;
        }
      }
      if (full) throw full;
      return;
    }
    const queue = this.#queues.get(queueName(target));
    if (queue && queue.consumers.length > 0) this.#put(queue, message);
  }

  async serve(topic: string, server: string, endpoint: RpcEndpoint): Promise<{ close(): Promise<void> }> {
    if (this.#closed) throw new TransportClosed(`serve ${topic} as ${server}`);
    const fanout = new Queue(`${topic}_fanout of ${server}`);
    const queues = [this.#queue(`${topic}.${server}`), fanout, this.#queue(topic)];
    const consumer = new MemoryServer(topic, endpoint, this.#log, () => this.#wake(queues));
    for (const queue of queues) queue.consumers.push(consumer);
    this.#servers.add(consumer);
    const fanouts = this.#fanouts.get(topic) ?? new Set();
    this.#fanouts.set(topic, fanouts.add(fanout));
    // Calls may have been waiting for this server.
    this.#wake(queues);

    const stop = (): void => {
      this.#servers.delete(consumer);
      fanouts.delete(fanout);
      if (fanouts.size === 0) this.#fanouts.delete(topic);
      for (const queue of queues) {
        queue.consumers.splice(queue.consumers.indexOf(consumer), 1);
        if (queue.consumers.length > 0) continue;
        const dropped = queue.dropCasts();
        if (dropped > 0)
          this.#log.info(
            { queue: queue.name, dropped },
            'the last server of a queue closed; waiting casts are dropped',
          );
        this.#forget(queue);
      }
    };
    let closing: Promise<void> | undefined;
    return {
      close: () => {
        if (!closing) {
          stop();
          closing = consumer.drain();
        }
        return closing;
      },
    };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const running = [...this.#servers];
    this.#queues.clear();
    this.#fanouts.clear();
    this.#ready.clear();
    for (const fail of [...this.#pendingCalls]) fail(new TransportClosed('waiting for an answer'));
    await Promise.all(running.map((server) => server.drain()));
  }

  #queue(name: string): Queue {
    let queue = this.#queues.get(name);
    if (!queue) {
      queue = new Queue(name);
      this.#queues.set(name, queue);
    }
    return queue;
  }

  /** Removes a queue without servers and messages, so that names used once do not accumulate. */
  #forget(queue: Queue): void {
    if (queue.size > 0 || queue.consumers.length > 0) return;
    if (this.#queues.get(queue.name) === queue) this.#queues.delete(queue.name);
  }

  #put(queue: Queue, message: Message): () => void {
    if (queue.size >= this.#maxQueued) throw new QueueFull(queue.name, this.#maxQueued);
    const takeOff = queue.push(message);
    this.#wake([queue]);
    return takeOff;
  }

  /** Never delivers synchronously, because a handler must not run within the sender's step (such as a transaction). */
  #wake(queues: readonly Queue[]): void {
    for (const queue of queues) if (queue.size > 0) this.#ready.add(queue);
    if (this.#scheduled || this.#ready.size === 0 || this.#closed) return;
    this.#scheduled = true;
    setImmediate(() => this.#handOver());
  }

  #handOver(): void {
    this.#scheduled = false;
    let left = BATCH;
    // Each queue in turn; one that has more, and whose servers are free, goes to the end.
    for (const queue of this.#ready) {
      this.#ready.delete(queue);
      const share = Math.min(left, BATCH / 4);
      const handed = queue.handOver(share);
      left -= handed;
      if (handed === share && queue.size > 0) this.#ready.add(queue);
      if (left <= 0) break;
    }
    this.#wake([]);
  }
}

function queueName(target: RpcTarget): string {
  return target.server === undefined ? target.topic : `${target.topic}.${target.server}`;
}

/** Returns arguments as JSON. Throws TypeError that names the method for values that JSON cannot represent (cycles, bigint). */
function encode(target: RpcTarget, method: string, args: RpcArgs): string {
  try {
    return JSON.stringify(args);
  } catch (error) {
    throw new TypeError(`arguments of ${method} on ${target.topic} cannot be sent: ${(error as Error).message}`);
  }
}

/** Returns a failure as it would be received over a wire: class and message, never the server's own object. */
function asSeenByCaller(topic: string, method: string, failure: unknown): Error {
  if (failure instanceof UnsupportedVersion) return new UnsupportedVersion(failure.method, failure.version);
  if (failure instanceof NoSuchMethod) return new NoSuchMethod(failure.method);
  if (!(failure instanceof Error)) return new RemoteError(topic, method, typeof failure, String(failure));
  const name = failure.name === 'Error' ? failure.constructor.name : failure.name;
  return new RemoteError(topic, method, name, failure.message);
}
