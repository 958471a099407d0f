import { randomUUID } from 'node:crypto';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { neutronError } from '../../../src/resources/errors.ts';
import type { RpcArgs, RpcTransport } from '../../../src/rpc/contract.ts';
import { TransportClosed } from '../../../src/rpc/errors.ts';
import type { Broker } from '../../support/rabbitmq.ts';
import { sharedBroker } from '../../support/shared-services.ts';
import { type BareClient, bareClient, type Seen } from './bare-client.ts';
import { allCaptured, bodyOf, type Captured, type CapturedMessage, captured } from './captured.ts';
import { describeWithBroker, keptLog, rabbitConfig, Transports } from './world.ts';

let broker: Broker;
beforeAll(async () => {
  broker = await sharedBroker();
}, 300_000);

const transports = new Transports();
let bare: BareClient;
let transport: RpcTransport;
beforeEach(async () => {
  bare = await bareClient(broker);
  transport = transports.connect(rabbitConfig(broker.transportUrl()));
});
afterEach(async () => {
  await transports.close();
  await bare.close();
});

/** Properties under the names of the captures. */
function properties({ properties: seen }: Seen): Record<string, unknown> {
  const names = { contentType: 'content_type', contentEncoding: 'content_encoding', deliveryMode: 'delivery_mode' };
  return Object.fromEntries(
    Object.entries(seen).map(([name, value]) => [names[name as keyof typeof names] ?? name, value]),
  );
}

/** As the captured client published it, to a topic of this test's own. */
const publish = ({ request }: Captured, topic: string, body = bodyOf(request)): Promise<void> => {
  const { expiration } = request.properties;
  return bare.send('neutron', topic, body, {
    contentType: 'application/json',
    contentEncoding: 'utf-8',
    deliveryMode: 2,
    priority: 0,
    headers: {},
    ...(expiration === undefined ? {} : { expiration: String(expiration) }),
  });
};

const ownTopic = (): string => `t${randomUUID().slice(0, 8)}`;

describeWithBroker('a stock request, byte for byte', () => {
  /** The queue that a captured caller waits at. */
  const replyQueueOf = async (message: CapturedMessage) => {
    const queue = String(message.payload._reply_q);
    await bare.channel.assertQueue(queue, { durable: false, arguments: { 'x-expires': 1_800_000 } });
    await bare.channel.purgeQueue(queue);
    return bare.read(queue);
  };

  test.each(allCaptured().filter(({ call, request }) => call && request.payload.namespace === undefined))(
    '$name is answered as stock answers it',
    async (one) => {
      const { request, reply } = one;
      const { method, version, args } = request.payload;
      const stock = reply[0] as CapturedMessage;
      const topic = ownTopic();
      const seen: RpcArgs[] = [];
      const handler = (asked: RpcArgs) => {
        seen.push(asked);
        const failure = stock.payload.failure ? JSON.parse(String(stock.payload.failure)) : undefined;
        if (failure?.class === 'TypeError') throw new TypeError(failure.message);
        return stock.payload.result;
      };
      const served = method === 'no_such_method' ? 'other' : String(method);
      // The versions that stock has: what it refused is refused here.
      await transport.serve(topic, 'vm', {
        version: version === '9.0' ? '1.10' : String(version),
        methods: { [served]: handler },
      });
      const answers = await replyQueueOf(request);
      await publish(one, topic);

      const answer = await answers.next();
      expect({ exchange: answer.exchange, key: answer.routingKey }).toEqual({
        exchange: '',
        key: request.payload._reply_q,
      });
      expect(properties(answer)).toEqual(stock.properties);
      const { _unique_id: id, failure, ...rest } = answer.payload;
      const { _unique_id: stockId, failure: stockFailure, ...stockRest } = stock.payload;
      expect(rest).toEqual(stockRest);
      expect(id).toMatch(/^[0-9a-f]{32}$/);
      expect(id).not.toBe(stockId);
      const untraced = (text: unknown) => (text ? { ...JSON.parse(String(text)), tb: [] } : null);
      expect(untraced(failure)).toEqual(untraced(stockFailure));
      if (!stockFailure) expect(seen).toEqual([args]);
    },
  );

  test.each(allCaptured().filter(({ call }) => !call))('$name is handed over', async (one) => {
    const { method, version, args } = one.request.payload;
    const topic = ownTopic();
    const { promise, resolve } = Promise.withResolvers<RpcArgs>();
    await transport.serve(topic, 'vm', { version: String(version), methods: { [String(method)]: resolve } });
    await publish(one, `${topic}.vm`);
    expect(await promise).toEqual(args);
  });

  test('with a namespace that nobody serves is answered UnsupportedVersion', async () => {
    const one = captured('no_such_method.failure.UnsupportedVersion');
    const topic = ownTopic();
    await transport.serve(topic, 'vm', { version: '1.0', methods: { no_such_method: () => 'served' } });
    const answers = await replyQueueOf(one.request);
    await publish(one, topic);
    const { failure } = (await answers.next()).payload;
    const stock = JSON.parse(String(one.reply[0]?.payload.failure));
    expect(JSON.parse(String(failure))).toEqual({ ...stock, tb: [] });
  });

  test('that the API’s rules refuse is answered with Neutron’s exception', async () => {
    const one = captured('get_network_info');
    const topic = ownTopic();
    const refuse = () => {
      throw neutronError('NetworkNotFound', { id: 'n1' });
    };
    await transport.serve(topic, 'vm', { version: '1.0', methods: { get_network_info: refuse } });
    const answers = await replyQueueOf(one.request);
    await publish(one, topic);
    expect(JSON.parse(String((await answers.next()).payload.failure))).toMatchObject({
      class: 'NetworkNotFound',
      module: 'neutron_lib.exceptions',
      message: 'Network n1 could not be found.',
    });
  });

  test('that is monitored gets signs of life until it is answered', async () => {
    const one = captured('get_network_info');
    const topic = ownTopic();
    const release = Promise.withResolvers<void>();
    await transport.serve(topic, 'vm', { version: '1.0', methods: { get_network_info: () => release.promise } });
    const answers = await replyQueueOf(one.request);
    const payload: Record<string, unknown> = { ...one.request.payload, _timeout: 0.2 };
    const body = Buffer.from(JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': JSON.stringify(payload) }));
    await publish(one, topic, body);
    const beats = [await answers.next(), await answers.next()];
    for (const beat of beats) {
      const { _unique_id: id, ...rest } = beat.payload;
      expect(rest).toEqual({ result: null, failure: null, _msg_id: payload._msg_id });
      expect(id).toMatch(/^[0-9a-f]{32}$/);
    }
    release.resolve();
    let last = await answers.next();
    while (last.payload.ending !== true) last = await answers.next();
    expect(last.payload._msg_id).toBe(payload._msg_id);
  });

  test('that cannot be read is dropped, and the next one served', async () => {
    const topic = ownTopic();
    const { log, at } = keptLog();
    const { promise, resolve } = Promise.withResolvers<RpcArgs>();
    const serving = transports.connect(rabbitConfig(broker.transportUrl()), log);
    await serving.serve(topic, 'vm', { version: '1.0', methods: { note: resolve } });
    for (const body of ['', '{', '[]', '{"oslo.version": "3.0", "oslo.message": "{}"}']) {
      await bare.send('neutron', topic, Buffer.from(body));
    }
    await transport.cast({ topic }, 'note', { n: 1 });
    expect(await promise).toEqual({ n: 1 });
    expect(at('warn').filter((line) => line.includes('cannot read a message'))).toHaveLength(4);
  });

  test('whose answer cannot be addressed is done with, and the next one served', async () => {
    const topic = ownTopic();
    const { log, at } = keptLog();
    const serving = transports.connect(rabbitConfig(broker.transportUrl()), log);
    await serving.serve(topic, 'vm', { version: '1.0', methods: { get_network_info: () => 1 } });
    const payload = { ...captured('get_network_info').request.payload, _reply_q: 'q'.repeat(300) };
    const body = JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': JSON.stringify(payload) });
    await bare.send('neutron', topic, Buffer.from(body));
    expect(await transport.call({ topic }, 'get_network_info', {})).toBe(1);
    expect(at('warn')).toContain('cannot send an answer; its caller will time out');
    expect((await bare.channel.checkQueue(topic)).messageCount).toBe(0);
  });
});

describeWithBroker('a request of Neutrino', () => {
  const seenByStock = async (topic: string, key: string, exchange = 'neutron') => {
    const { queue } = await bare.channel.assertQueue('', { exclusive: true });
    const kind = exchange === 'neutron' ? 'topic' : 'fanout';
    await bare.channel.assertExchange(exchange, kind, { durable: false, autoDelete: kind === 'fanout' });
    await bare.channel.bindQueue(queue, exchange, kind === 'fanout' ? topic : key);
    return bare.read(queue);
  };

  /** Ids and times differ from message to message: only their form is compared. */
  const form = (payload: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(
      Object.entries(payload).map(([key, value]) => [
        key,
        typeof value === 'string' &&
        (key === '_unique_id' || key === '_msg_id' || key === '_reply_q' || key.startsWith('_context_'))
          ? value
              .replace(/[0-9a-f]/g, 'x')
              .replace(/\d+/g, '0')
              .replace(/(?<=\.)x+$/, 'x')
          : value,
      ]),
    );

  test('for an answer is the captured one, field by field', async () => {
    const one = captured('report_state.DHCP_agent.start');
    const { args, version } = one.request.payload;
    const topic = ownTopic();
    const stock = await seenByStock(topic, topic);
    const asked = transport.call({ topic }, 'report_state', args as RpcArgs, {
      version: String(version),
      timeoutMs: 30_000,
    });
    const seen = await stock.next();
    expect({ exchange: seen.exchange, routingKey: seen.routingKey }).toEqual({
      exchange: 'neutron',
      routingKey: topic,
    });
    expect(properties(seen)).toEqual(one.request.properties);
    expect(form(seen.payload)).toEqual(form(one.request.payload));

    // The stock server's answer, byte for byte but for whom it answers.
    const answer = { ...one.reply[0]?.payload, _msg_id: seen.payload._msg_id };
    const body = { 'oslo.version': '2.0', 'oslo.message': JSON.stringify(answer) };
    await bare.send('', String(seen.payload._reply_q), Buffer.from(JSON.stringify(body)));
    expect(await asked).toBe('alive');
  });

  test('to one server, and to all, goes where the captured ones went', async () => {
    const topic = ownTopic();
    const toOne = captured('network_create_end').request;
    const one = await seenByStock(topic, `${topic}.vm`);
    await transport.cast({ topic, server: 'vm' }, 'network_create_end', toOne.payload.args as RpcArgs);
    const single = await one.next();
    expect(properties(single)).toEqual(toOne.properties);
    expect(Object.keys(single.payload).sort()).toEqual(Object.keys(toOne.payload).sort());
    expect(single.payload.args).toEqual(toOne.payload.args);

    const toAll = captured('network_delete_end').request;
    const all = await seenByStock(topic, '', `${topic}_fanout`);
    await transport.cast({ topic, fanout: true }, 'network_delete_end', toAll.payload.args as RpcArgs);
    const copied = await all.next();
    expect({ exchange: copied.exchange, routingKey: copied.routingKey }).toEqual({
      exchange: `${topic}_fanout`,
      routingKey: toAll.routing_keys[0],
    });
    expect(properties(copied)).toEqual(toAll.properties);
  });

  test('takes the two messages with which old servers answer', async () => {
    const topic = ownTopic();
    const stock = await seenByStock(topic, topic);
    const asked = transport.call({ topic }, 'm', {});
    const { _msg_id: messageId, _reply_q: queue } = (await stock.next()).payload;
    const answer = (payload: object) =>
      bare.send(
        '',
        String(queue),
        Buffer.from(JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': JSON.stringify(payload) })),
      );
    await answer({ result: { n: 1 }, failure: null, _msg_id: messageId, _unique_id: 'a' });
    await answer({ result: null, failure: null, ending: true, _msg_id: messageId, _unique_id: 'b' });
    expect(await asked).toEqual({ n: 1 });
  });

  test('drops an answer that comes too late, cannot be read, or is nobody’s', async () => {
    const topic = ownTopic();
    const stock = await seenByStock(topic, topic);
    const late = transport.call({ topic }, 'late', {}, { timeoutMs: 500 });
    const failed = expect(late).rejects.toThrow(/its server is busy, gone, or has died/);
    const { _msg_id: lateId, _reply_q: queue } = (await stock.next()).payload;
    await failed;
    const asked = transport.call({ topic }, 'm', {});
    const { _msg_id: messageId } = (await stock.next()).payload;
    const send = (text: string) => bare.send('', String(queue), Buffer.from(text));
    const answer = (payload: object) =>
      send(JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': JSON.stringify(payload) }));
    await answer({ result: 'late', failure: null, ending: true, _msg_id: lateId, _unique_id: 'a' });
    await send('no json');
    await answer({ result: 'twice', failure: null, ending: true, _msg_id: messageId, _unique_id: 'b' });
    await answer({ result: 'too often', failure: null, ending: true, _msg_id: messageId, _unique_id: 'c' });
    expect(await asked).toBe('twice');
  });
});

describeWithBroker('queues that outlive the broker, go with their reader, or are replicated', () => {
  test.each([
    ['amqp_durable_queues', { durable: true, autoDelete: false }, {}],
    ['amqp_auto_delete', { durable: false, autoDelete: true }, {}],
    ['rabbit_quorum_queue', { durable: true, autoDelete: false }, { 'x-queue-type': 'quorum' }],
  ])('%s', async (option, shape, args) => {
    const config = rabbitConfig(broker.transportUrl(), { [option]: true });
    const control_exchange = `x${randomUUID().slice(0, 8)}`;
    const own = transports.connect({ ...config, DEFAULT: { ...config.DEFAULT, control_exchange } });
    const topic = ownTopic();
    await own.serve(topic, 'vm', { version: '1.0', methods: { echo: (asked) => asked } });
    expect(await own.call({ topic }, 'echo', { n: 1 })).toEqual({ n: 1 });
    await own.cast({ topic, server: 'vm' }, 'echo', {});
    // RabbitMQ refuses a declaration that differs from how the thing is.
    await bare.channel.assertExchange(control_exchange, 'topic', shape);
    for (const name of [topic, `${topic}.vm`]) await bare.channel.assertQueue(name, { ...shape, arguments: args });
  });
});

describeWithBroker('the broker', () => {
  test('lists what we declare as it lists what stock declared', async () => {
    const topic = ownTopic();
    await transport.serve(topic, 'vm', { version: '1.0', methods: { m: () => 1 } });
    await transport.call({ topic }, 'm', {});
    const list = async (...command: string[]) => JSON.parse(await broker.ctl(...command, '--formatter', 'json'));
    const here = ['-p', broker.vhost];
    const queues = await list('list_queues', ...here, 'name', 'durable', 'auto_delete', 'exclusive', 'arguments');
    const expires = [['x-expires', 'signedint', 1_800_000]];
    const common = { durable: false, auto_delete: false, exclusive: false };
    const ours = queues.filter(({ name }: { name: string }) => name.startsWith(topic));
    expect(ours).toHaveLength(3);
    expect(ours).toEqual(
      expect.arrayContaining([
        { ...common, name: topic, arguments: [] },
        { ...common, name: `${topic}.vm`, arguments: [] },
        { ...common, name: expect.stringMatching(new RegExp(`^${topic}_fanout_[0-9a-f]{32}$`)), arguments: expires },
      ]),
    );
    expect(queues).toContainEqual({
      ...common,
      name: expect.stringMatching(/^reply_[0-9a-f]{32}$/),
      arguments: expires,
    });
    const consumers = await list('list_consumers', ...here, 'queue_name', 'ack_required', 'prefetch_count');
    expect(consumers).toContainEqual({ queue_name: topic, ack_required: true, prefetch_count: 64 });
    const connections = await list('list_connections', 'client_properties', 'timeout');
    expect(JSON.stringify(connections)).toMatch(new RegExp(`neutrino-test:${process.pid}:[0-9a-f-]{36}`));
    expect(connections).toContainEqual(expect.objectContaining({ timeout: 30 }));
  });

  const queueNames = async (beginning: string) =>
    (await broker.ctl('list_queues', '-p', broker.vhost, 'name'))
      .split('\n')
      .filter((name) => name.startsWith(beginning));

  test('has nothing of a process left that closed, but the queues of its topic, as with a stock one', async () => {
    const others = await queueNames('reply_');
    const topic = ownTopic();
    await transport.serve(topic, 'vm', { version: '1.0', methods: { m: () => 1 } });
    await transport.call({ topic }, 'm', {});
    await transports.close();
    const left = [topic, `${topic}.vm`, expect.stringMatching(`^${topic}_fanout_`)];
    expect((await queueNames(topic)).toSorted()).toEqual(left);
    expect(await queueNames('reply_')).toEqual(others);
    // A stock server that tells all servers of a topic fails when there is no such exchange.
    const exchanges = (await broker.ctl('list_exchanges', '-p', broker.vhost, 'name')).split('\n');
    expect(exchanges).toEqual(expect.arrayContaining(['neutron', `${topic}_fanout`]));
    const connections = (await broker.ctl('list_connections', 'vhost', 'client_properties')).split('\n');
    const here = connections.filter((line) => line.startsWith(`${broker.vhost}\t`));
    expect(here).not.toEqual([]);
    expect(here.join()).not.toContain('neutrino-test');
  });

  test('keeps the queue for answers of a process that closed while some were on their way', async () => {
    const others = await queueNames('reply_');
    const topic = ownTopic();
    const { promise: asked, resolve } = Promise.withResolvers<void>();
    const over = Promise.withResolvers<number>();
    const server = transports.connect(rabbitConfig(broker.transportUrl()));
    await server.serve(topic, 'vm', {
      version: '1.0',
      methods: {
        slow: () => {
          resolve();
          return over.promise;
        },
      },
    });
    const answer = transport.call({ topic }, 'slow', {}).catch((error: unknown) => error);
    await asked;
    await transport.close();
    expect(await answer).toBeInstanceOf(TransportClosed);
    expect(await queueNames('reply_')).toHaveLength(others.length + 1);
    over.resolve(1);
  });
});
