import { pino } from 'pino';
import { defaultConfig } from '../../src/config/options.ts';
import type { RpcArgs, RpcTransport } from '../../src/rpc/contract.ts';
import { encodeRequest } from '../../src/rpc/rabbit/envelope.ts';
import { requestContext } from '../../src/rpc/rabbit/request-context.ts';
import { createRabbitTransport } from '../../src/rpc/rabbit/transport.ts';
import { answerParent } from '../child.ts';
import { type RpcJob, type RpcLoad, type RpcResult, SERVER } from './contract.ts';
import { portArguments } from './message.ts';
import { timed } from './timed.ts';

const METHOD = 'port_create_end';
const VERSION = '1.0';

let transport: RpcTransport | undefined;
let topic = '';

function open(url: string): RpcTransport {
  const defaults = defaultConfig();
  const config = { ...defaults, DEFAULT: { ...defaults.DEFAULT, transport_url: url } };
  return createRabbitTransport({ config, log: pino({ level: 'error' }), programName: 'neutrino-bench' });
}

/** Returns arguments for a message of this size in bytes. */
function argumentsOf(bytes: number): RpcArgs {
  const uniqueId = 'x'.repeat(32);
  const call = { messageId: uniqueId, replyQueue: `reply_${uniqueId}` };
  const args = portArguments(0);
  const request = { method: METHOD, args, version: VERSION, uniqueId, context: requestContext(), call };
  return portArguments(Math.max(0, bytes - encodeRequest(request).length));
}

async function load(job: RpcLoad): Promise<RpcResult> {
  if (!transport) throw new Error('not connected');
  const { call, cast } = transport;
  const target = { topic, server: SERVER };
  const args = argumentsOf(job.bytes);
  const ask = () => call.apply(transport, [target, METHOD, args]);
  const tell = () => cast.apply(transport, [target, METHOD, args]);
  // Queues are ordered: a reply proves that all earlier messages were received.
  return job.kind === 'call' ? timed(job, ask, async () => undefined) : timed(job, tell, ask);
}

answerParent(async (job: RpcJob): Promise<RpcResult | true> => {
  if (!('url' in job)) return load(job);
  transport = open(job.url);
  topic = job.topic;
  if (job.kind === 'serve')
    await transport.serve(topic, SERVER, { version: VERSION, methods: { [METHOD]: () => true } });
  return true;
});
