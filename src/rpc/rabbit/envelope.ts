import type { RpcArgs } from '../contract.ts';

/** A request as it arrives. */
export interface Request {
  readonly method: string;
  readonly args: RpcArgs;
  readonly version: string;
  /** Absent in all of Neutron's DHCP, L2 and report calls. */
  readonly namespace?: string;
  /** Unique for every message; the same when a message is delivered or published twice. */
  readonly uniqueId?: string;
  /** Calls only: the id and the queue of the answer. */
  readonly call?: { readonly messageId: string; readonly replyQueue: string };
  /** For monitored calls: seconds without a heartbeat after which the caller fails. */
  readonly monitorSeconds?: number;
  /** The request of the API or the agent that caused it, for logs. */
  readonly requestId?: string;
}

/** An answer as it arrives. */
export interface Reply {
  readonly messageId: string;
  readonly result: unknown;
  /** The failure's JSON text (see failure.ts). */
  readonly failure?: string;
  /** Whether it is the last one for its call. */
  readonly ending: boolean;
}

/** A message that is not oslo.messaging 2.0; the text names the problem. */
export class MalformedMessage extends Error {
  constructor(why: string) {
    super(why);
    this.name = 'MalformedMessage';
  }
}

export interface OutgoingRequest {
  readonly method: string;
  readonly args: RpcArgs;
  readonly version: string;
  readonly uniqueId: string;
  readonly call?: { readonly messageId: string; readonly replyQueue: string };
  /** `_context_*` by their full names. */
  readonly context: Readonly<Record<string, unknown>>;
}

/** Returns a request as AMQP body. Throws TypeError for arguments that JSON cannot represent. */
export function encodeRequest({ method, args, version, uniqueId, call, context }: OutgoingRequest): Buffer {
  return wrap({
    method,
    args,
    version,
    ...(call ? { _msg_id: call.messageId, _reply_q: call.replyQueue, _timeout: null } : {}),
    _unique_id: uniqueId,
    ...context,
  });
}

/**
 * Returns an answer as AMQP body: a result, a failure (JSON text), or neither and not `ending`: a sign of life for a caller that
 * monitors. Throws TypeError for a result that JSON cannot represent.
 */
export function encodeReply(reply: {
  readonly messageId: string;
  readonly uniqueId: string;
  readonly result?: unknown;
  readonly failure?: string;
  readonly ending: boolean;
}): Buffer {
  return wrap({
    result: reply.result ?? null,
    failure: reply.failure ?? null,
    ...(reply.ending ? { ending: true } : {}),
    _msg_id: reply.messageId,
    _unique_id: reply.uniqueId,
  });
}

export interface OutgoingNotification {
  readonly messageId: string;
  readonly publisherId: string;
  readonly eventType: string;
  readonly priority: string;
  readonly payload: unknown;
  readonly timestamp: string;
  readonly uniqueId: string;
  /** `_context_*` without the prefix. */
  readonly context: Readonly<Record<string, unknown>>;
  /** Whether it has the envelope of version 2.0; without it, it is in the format of version 1.0. */
  readonly enveloped: boolean;
}

/** Returns a notification as AMQP body. */
export function encodeNotification(notification: OutgoingNotification): Buffer {
  const { messageId, publisherId, eventType, priority, payload, timestamp, uniqueId, context } = notification;
  const message = {
    message_id: messageId,
    publisher_id: publisherId,
    event_type: eventType,
    priority,
    payload,
    timestamp,
    _unique_id: uniqueId,
    ...Object.fromEntries(Object.entries(context).map(([name, value]) => [`_context_${name}`, value])),
  };
  return notification.enveloped ? wrap(message) : Buffer.from(JSON.stringify(message));
}

/** Reads the AMQP body of a request. Throws MalformedMessage. */
export function decodeRequest(body: Buffer): Request {
  const message = unwrap(body);
  const { method, args = {}, version = '1.0', namespace } = message;
  if (typeof method !== 'string' || method === '') throw new MalformedMessage('"method" must be a name');
  if (!isRecord(args)) throw new MalformedMessage(`"args" of ${shown(method)} must be an object`);
  if (typeof version !== 'string')
    throw new MalformedMessage(`"version" of ${shown(method)} must be text such as "1.0"`);
  const messageId = text(message, '_msg_id');
  const uniqueId = text(message, '_unique_id');
  const requestId = text(message, '_context_request_id');
  const monitorSeconds = Number(message._timeout ?? 0);
  return {
    method,
    args,
    version,
    ...(namespace === undefined || namespace === null ? {} : { namespace: String(namespace) }),
    ...(uniqueId === undefined ? {} : { uniqueId }),
    // Without _reply_q the reply queue is named after the call: oslo.messaging before version 2.
    ...(messageId === undefined ? {} : { call: { messageId, replyQueue: text(message, '_reply_q') ?? messageId } }),
    ...(monitorSeconds > 0 && Number.isFinite(monitorSeconds) ? { monitorSeconds } : {}),
    ...(requestId === undefined ? {} : { requestId }),
  };
}

/** Reads the AMQP body of an answer. Throws MalformedMessage. */
export function decodeReply(body: Buffer): Reply {
  const message = unwrap(body);
  const messageId = text(message, '_msg_id');
  if (messageId === undefined) throw new MalformedMessage('an answer must have "_msg_id"');
  const { failure } = message;
  return {
    messageId,
    result: message.result ?? null,
    ...(failure ? { failure: typeof failure === 'string' ? failure : JSON.stringify(failure) } : {}),
    ending: message.ending === true,
  };
}

/** Returns the `_unique_id` of a body, if it has one. */
export function uniqueIdOf(body: Buffer): string | undefined {
  try {
    return text(unwrap(body), '_unique_id');
  } catch {
    return undefined;
  }
}

const VERSION_KEY = 'oslo.version';
const MESSAGE_KEY = 'oslo.message';

function wrap(message: Readonly<Record<string, unknown>>): Buffer {
  return Buffer.from(JSON.stringify({ [VERSION_KEY]: '2.0', [MESSAGE_KEY]: JSON.stringify(message) }));
}

function unwrap(body: Buffer): Record<string, unknown> {
  const outer = parse(body.toString('utf8'), 'the body');
  // oslo.messaging accepts a message without the envelope, and so do we.
  if (!(VERSION_KEY in outer) || !(MESSAGE_KEY in outer)) return outer;
  if (outer[VERSION_KEY] !== '2.0')
    throw new MalformedMessage(`"${VERSION_KEY}" must be "2.0", not ${shown(outer[VERSION_KEY])}`);
  const inner = outer[MESSAGE_KEY];
  if (typeof inner !== 'string') throw new MalformedMessage(`"${MESSAGE_KEY}" must be JSON text`);
  return parse(inner, `"${MESSAGE_KEY}"`);
}

function parse(json: string, what: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new MalformedMessage(`${what} is not JSON: ${(error as Error).message}`);
  }
  if (!isRecord(value)) throw new MalformedMessage(`${what} must be a JSON object`);
  return value;
}

function text(message: Readonly<Record<string, unknown>>, key: string): string | undefined {
  const value = message[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const shown = (value: unknown): string => JSON.stringify(value)?.slice(0, 80) ?? 'nothing';
