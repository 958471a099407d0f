import { randomUUID } from 'node:crypto';
import * as amqp from 'amqplib';
import { answerParent } from '../child.ts';
import { type RpcJob, type RpcLoad, type RpcResult, SERVER } from './contract.ts';
import { timed } from './timed.ts';

/** Bare amqplib: the same exchange, queues, confirms and acknowledgements, but raw bytes instead of requests. */

const EXCHANGE = 'bench-bare';
const PREFETCH = 64;
const PROPERTIES = { contentType: 'application/json', contentEncoding: 'utf-8', deliveryMode: 2, mandatory: true };
const CALL_MS = '60000';
/** As long as the reply `true` in its envelope. */
const ANSWER = Buffer.alloc(190, 'x');

interface Connected {
  readonly channel: amqp.ConfirmChannel;
  readonly replies: string;
  readonly waiting: Map<string, () => void>;
  readonly key: string;
}

let connected: Connected | undefined;

async function openChannel(url: string): Promise<amqp.ConfirmChannel> {
  const { hostname, port, username, password } = new URL(url);
  const model = await amqp.connect(
    {
      hostname,
      port: Number(port),
      username: decodeURIComponent(username),
      password: decodeURIComponent(password),
    },
    { noDelay: true },
  );
  const channel = await model.createConfirmChannel();
  await channel.assertExchange(EXCHANGE, 'topic', { durable: false });
  await channel.prefetch(PREFETCH);
  return channel;
}

/** Resolves when the broker has confirmed. */
const publish = (channel: amqp.ConfirmChannel, exchange: string, key: string, body: Buffer, more: object) =>
  new Promise<void>((resolve, reject) => {
    channel.publish(exchange, key, body, { ...PROPERTIES, ...more }, (error) => (error ? reject(error) : resolve()));
  });

async function serve(url: string, topic: string): Promise<true> {
  const key = `${topic}.${SERVER}`;
  const channel = await openChannel(url);
  await channel.assertQueue(key, { durable: false });
  await channel.bindQueue(key, EXCHANGE, key);
  await channel.consume(key, (message) => {
    if (!message) return;
    channel.ack(message);
    const { replyTo, correlationId } = message.properties as { replyTo?: string; correlationId?: string };
    if (replyTo && correlationId) void publish(channel, '', replyTo, ANSWER, { correlationId });
  });
  return true;
}

async function connect(url: string, topic: string): Promise<true> {
  const channel = await openChannel(url);
  const { queue: replies } = await channel.assertQueue(`bench-reply-${randomUUID()}`, { durable: false });
  const waiting = new Map<string, () => void>();
  await channel.consume(replies, (message) => {
    if (!message) return;
    channel.ack(message);
    const id = String(message.properties.correlationId);
    waiting.get(id)?.();
    waiting.delete(id);
  });
  connected = { channel, replies, waiting, key: `${topic}.${SERVER}` };
  return true;
}

async function load(job: RpcLoad): Promise<RpcResult> {
  if (!connected) throw new Error('not connected');
  const { channel, replies, waiting, key } = connected;
  const body = Buffer.alloc(job.bytes, 'x');
  const tell = () => publish(channel, EXCHANGE, key, body, {});
  const ask = async () => {
    const correlationId = randomUUID();
    const answered = new Promise<void>((resolve) => {
      waiting.set(correlationId, resolve);
    });
    await publish(channel, EXCHANGE, key, body, { correlationId, replyTo: replies, expiration: CALL_MS });
    await answered;
  };
  return job.kind === 'call' ? timed(job, ask, async () => undefined) : timed(job, tell, ask);
}

answerParent((job: RpcJob): Promise<RpcResult | true> => {
  if (!('url' in job)) return load(job);
  return job.kind === 'serve' ? serve(job.url, job.topic) : connect(job.url, job.topic);
});
