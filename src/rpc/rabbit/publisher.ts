import type { ChannelModel, ConfirmChannel, Options } from 'amqplib';
import type pino from 'pino';
import { MessageNotSent, QueueFull, TransportClosed } from '../errors.ts';
import { uniqueIdOf } from './envelope.ts';
import type { ExchangePlan } from './topology.ts';

/** A message to send to `exchange` or, without one, to the queue that `routingKey` names. */
export interface Outgoing {
  /** For errors: `port_create_end to dhcp_agent.host`. */
  readonly what: string;
  readonly exchange?: ExchangePlan;
  readonly routingKey: string;
  readonly body: Buffer;
  /** `_unique_id` of the body. */
  readonly uniqueId: string;
  /** Whether the outcome is `unroutable` when no queue takes the message. */
  readonly mandatory: boolean;
  /** Milliseconds until it fails. */
  readonly timeoutMs: number;
  /** Whether the broker discards the message after that time if it has not been consumed. */
  readonly expires: boolean;
}

/** `taken`: a queue has it, or it was not mandatory and there is no queue; `unroutable`: it was mandatory and there is no queue. */
export type Sent = 'taken' | 'unroutable';

export interface PublisherOptions {
  readonly log: pino.Logger;
  /** Describes the connection in errors. */
  readonly state: () => string;
  /** Called if the connection fails to open a channel. */
  readonly onStuck: (why: string) => void;
}

interface Entry {
  readonly message: Outgoing;
  readonly deadline: number;
  readonly timer: NodeJS.Timeout;
  readonly settle: (outcome: Sent | Error) => void;
  tries: number;
}

/** Bounds of the messages that wait for their confirm; beyond them senders get QueueFull. */
const MAX_WAITING = 50_000;
const MAX_WAITING_BYTES = 256 * 1024 * 1024;
/** How often one message is sent when the broker keeps refusing it. */
const MAX_TRIES = 5;
const AGAIN_MS = 100;

/**
 * Sends messages in order and keeps each until the broker has confirmed it. Messages without a confirm when the connection or
 * the channel is lost are sent again, in the same order; receivers recognise them by their `_unique_id`.
 */
export class Publisher {
  readonly #log: pino.Logger;
  readonly #state: () => string;
  readonly #onStuck: (why: string) => void;
  /** All messages without a confirm, by unique id, in the order they came. */
  readonly #waiting = new Map<string, Entry>();
  #unsent = new Set<Entry>();
  /** Ids of returned messages: their confirm follows. */
  readonly #returned = new Set<string>();
  readonly #declared = new Set<string>();
  #bytes = 0;
  #connection: ChannelModel | undefined;
  #channel: ConfirmChannel | undefined;
  #inFlight = 0;
  /** This many messages are sent one at a time, to find out which of them made the broker close the channel. */
  #careful = 0;
  #pumping = false;
  #pumpAgain = false;
  #idle: (() => void) | undefined;

  constructor({ log, state, onStuck }: PublisherOptions) {
    this.#log = log;
    this.#state = state;
    this.#onStuck = onStuck;
  }

  /** Resolves when the broker has confirmed the message. Throws MessageNotSent, QueueFull, TransportClosed. */
  async publish(message: Outgoing): Promise<Sent> {
    const size = message.body.length;
    if (this.#waiting.size >= MAX_WAITING || (this.#bytes > 0 && this.#bytes + size > MAX_WAITING_BYTES))
      throw new QueueFull(`to ${this.#state()}`, this.#waiting.size);
    const { promise, resolve, reject } = Promise.withResolvers<Sent>();
    const entry: Entry = {
      message,
      deadline: Date.now() + message.timeoutMs,
      timer: setTimeout(() => this.#late(entry), message.timeoutMs),
      settle: (outcome) => {
        if (!this.#waiting.delete(message.uniqueId)) return;
        clearTimeout(entry.timer);
        this.#unsent.delete(entry);
        this.#returned.delete(message.uniqueId);
        this.#bytes -= size;
        if (outcome instanceof Error) reject(outcome);
        else resolve(outcome);
        if (this.#waiting.size === 0) this.#idle?.();
      },
      tries: 0,
    };
    this.#waiting.set(message.uniqueId, entry);
    this.#bytes += size;
    this.#unsent.add(entry);
    void this.#pump();
    return promise;
  }

  /** The connection is up: sends what waits, and again what was not confirmed. */
  async up(connection: ChannelModel): Promise<void> {
    this.#connection = connection;
    await this.#open(connection);
  }

  down(): void {
    this.#connection = undefined;
    this.#careful = 0;
    this.#resetChannel();
  }

  /** Resolves when all messages are confirmed. */
  async drain(): Promise<void> {
    if (this.#waiting.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
  }

  /** Fails all messages that wait. */
  close(): void {
    for (const { message, settle } of [...this.#waiting.values()]) settle(new TransportClosed(message.what));
  }

  async #open(connection: ChannelModel): Promise<void> {
    const channel = await connection.createConfirmChannel();
    let why: (Error & { code?: number }) | undefined;
    channel.on('error', (error) => {
      why = error;
    });
    // Before the client's own listener, which fails messages without a confirm: they are sent again instead. Without an error of
    // its own, the channel closes because the connection is lost, and `down` follows.
    channel.prependListener('close', () => {
      if (channel !== this.#channel) return;
      if (why) this.#closedByBroker(connection, why);
      else this.#resetChannel();
    });
    channel.on('return', ({ content }) => {
      const id = uniqueIdOf(content);
      if (id !== undefined && this.#waiting.has(id)) this.#returned.add(id);
    });
    if (connection !== this.#connection) return;
    this.#channel = channel;
    void this.#pump();
  }

  #resetChannel(): void {
    this.#channel = undefined;
    this.#inFlight = 0;
    this.#declared.clear();
    this.#returned.clear();
    this.#unsent = new Set(this.#waiting.values());
  }

  async #pump(): Promise<void> {
    this.#pumpAgain = true;
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#pumpAgain) {
      this.#pumpAgain = false;
      await this.#sendUnsent();
    }
    this.#pumping = false;
  }

  /** Sends at once what needs no declaration. Never throws. */
  async #sendUnsent(): Promise<void> {
    for (const entry of this.#unsent) {
      const channel = this.#channel;
      if (!channel || (this.#careful > 0 && this.#inFlight > 0)) return;
      const { exchange } = entry.message;
      if (exchange && !this.#declared.has(exchange.name)) {
        await this.#declare(channel, exchange);
        if (channel !== this.#channel) return;
      }
      // It may have timed out meanwhile.
      if (this.#unsent.delete(entry)) this.#send(channel, entry);
    }
  }

  async #declare(channel: ConfirmChannel, exchange: ExchangePlan): Promise<void> {
    const { name, type, durable, autoDelete } = exchange;
    try {
      await channel.assertExchange(name, type, { durable, autoDelete });
      // An exchange that is deleted with its last listener is declared each time: publishing to a missing one costs the channel,
      // and with it the confirms of all messages in transit, which would be sent twice.
      if (!autoDelete) this.#declared.add(name);
    } catch (error) {
      const { code, message } = error as { code?: unknown; message: string };
      if (code !== 406 && code !== 403) return;
      for (const { message: waiting, settle } of [...this.#unsent]) {
        if (waiting.exchange?.name === name) settle(new MessageNotSent(waiting.what, `${this.#state()}: ${message}`));
      }
    }
  }

  #send(channel: ConfirmChannel, entry: Entry): void {
    const { message } = entry;
    entry.tries += 1;
    this.#inFlight += 1;
    try {
      channel.publish(message.exchange?.name ?? '', message.routingKey, message.body, properties(entry), (error) => {
        if (channel === this.#channel) this.#confirmed(entry, error);
      });
    } catch (error) {
      // The channel is closing: its `close` event puts the message back.
      if ((error as Error).name === 'IllegalOperationError') return;
      this.#inFlight -= 1;
      entry.settle(new MessageNotSent(message.what, (error as Error).message));
    }
  }

  #confirmed(entry: Entry, error: Error | null): void {
    const { uniqueId, what } = entry.message;
    this.#inFlight -= 1;
    this.#careful = Math.max(0, this.#careful - 1);
    if (error === null) {
      entry.settle(this.#returned.has(uniqueId) ? 'unroutable' : 'taken');
      void this.#pump();
    } else if (entry.tries >= MAX_TRIES) {
      entry.settle(new MessageNotSent(what, `${this.#state()} refused it ${entry.tries} times (${error.message})`));
    } else {
      setTimeout(() => this.#putBack(entry), AGAIN_MS);
    }
  }

  #putBack(entry: Entry): void {
    if (this.#waiting.get(entry.message.uniqueId) === entry) this.#unsent.add(entry);
    void this.#pump();
  }

  /** An exchange is gone (404), a message is larger than the broker allows (406), ... */
  #closedByBroker(connection: ChannelModel, why: Error & { code?: number }): void {
    const inFlight = [...this.#waiting.values()].filter((entry) => !this.#unsent.has(entry));
    const [only] = inFlight;
    if (inFlight.length === 1 && only && (why.code !== 404 || only.tries >= MAX_TRIES))
      only.settle(new MessageNotSent(only.message.what, `${this.#state()} refuses it: ${why.message}`));
    this.#careful = inFlight.length;
    this.#resetChannel();
    this.#log.debug({ err: why, messages: inFlight.length }, 'RabbitMQ closed the channel; sending again');
    this.#open(connection).catch((error: Error) => this.#onStuck(`no new channel: ${error.message}`));
  }

  #late({ message, tries, settle }: Entry): void {
    const { what, timeoutMs } = message;
    const why =
      tries === 0
        ? `${this.#state()} for ${timeoutMs} ms; check that RabbitMQ runs and that transport_url names it`
        : `${this.#state()} did not confirm it within ${timeoutMs} ms; it may have arrived nevertheless`;
    settle(new MessageNotSent(what, why, true));
  }
}

/** The same properties as oslo.messaging's messages. */
function properties({ message, deadline, tries }: Entry): Options.Publish {
  // The whole time limit of the caller on the first attempt, and the rest of it later.
  const left = tries <= 1 ? message.timeoutMs : Math.max(1, deadline - Date.now());
  return {
    contentType: 'application/json',
    contentEncoding: 'utf-8',
    deliveryMode: 2,
    priority: 0,
    headers: {},
    mandatory: message.mandatory,
    ...(message.expires ? { expiration: String(Math.ceil(left)) } : {}),
  };
}
