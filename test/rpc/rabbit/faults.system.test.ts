import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { RpcTransport } from '../../../src/rpc/contract.ts';
import { MessageNotSent } from '../../../src/rpc/errors.ts';
import type { Broker } from '../../support/rabbitmq.ts';
import { sharedBroker } from '../../support/shared-services.ts';
import { type BareClient, bareClient } from './bare-client.ts';
import { bodyOf, captured } from './captured.ts';
import { startWire, type Wire } from './wire.ts';
import { describeWithBroker, keptLog, rabbitConfig, Transports } from './world.ts';

let broker: Broker;
beforeAll(async () => {
  broker = await sharedBroker();
}, 300_000);

const transports = new Transports();
const wires: Wire[] = [];
let bare: BareClient;
let topic: string;
beforeEach(async () => {
  bare = await bareClient(broker);
  topic = `t${randomUUID().slice(0, 8)}`;
});
afterEach(async () => {
  for (const wire of wires) wire.hold(false);
  await transports.close();
  await Promise.all(wires.splice(0).map((wire) => wire.close()));
  await bare.close();
});

const wired = async (): Promise<Wire> => {
  const wire = await startWire(broker.port);
  wires.push(wire);
  return wire;
};
const through = (
  wire: Wire,
  options: Parameters<typeof rabbitConfig>[1] = {},
  log?: Parameters<Transports['connect']>[1],
) => transports.connect(rabbitConfig(broker.transportUrl({ port: wire.port }), options), log);
const direct = (options: Parameters<typeof rabbitConfig>[1] = {}, log?: Parameters<Transports['connect']>[1]) =>
  transports.connect(rabbitConfig(broker.transportUrl(), options), log);

/** A method `note` that keeps what it hears. */
const notes = () => {
  const seen: unknown[] = [];
  return {
    seen,
    methods: { note: ({ n }: Readonly<Record<string, unknown>>) => void seen.push(n), sync: () => 'here' },
  };
};
const serveNotes = async (transport: RpcTransport, server = 'host-1') => {
  const { seen, methods } = notes();
  await transport.serve(topic, server, { version: '1.0', methods });
  return seen;
};
const eventually = (look: () => void | Promise<void>) => vi.waitFor(look, { timeout: 30_000, interval: 20 });

describeWithBroker('a cut connection', () => {
  test('of a sender loses and doubles nothing, and keeps the order', async () => {
    const wire = await wired();
    const { log, at } = keptLog();
    const client = through(wire, {}, log);
    const seen = await serveNotes(direct());
    const sent: Promise<void>[] = [];
    for (let n = 0; n < 1500; n += 1) {
      sent.push(client.cast({ topic, server: 'host-1' }, 'note', { n }));
      if (n % 500 === 250) {
        // In the middle of a burst: some are confirmed, some on their way, some not yet sent.
        await sent[n - 200];
        wire.cut();
      }
      if (n % 50 === 0) await new Promise((next) => setImmediate(next));
    }
    await Promise.all(sent);
    await client.call({ topic, server: 'host-1' }, 'sync', {});
    expect(seen).toEqual(Array.from({ length: 1500 }, (_, n) => n));
    expect(at('warn').filter((line) => line.includes(' lost (')).length).toBeGreaterThan(0);
  });

  test('of a server has every message handled once, in order', async () => {
    const wire = await wired();
    const seen = await serveNotes(through(wire));
    const client = direct();
    for (let n = 0; n < 600; n += 1) {
      await client.cast({ topic, server: 'host-1' }, 'note', { n });
      if (n === 200 || n === 400) wire.cut();
    }
    await client.call({ topic, server: 'host-1' }, 'sync', {});
    expect(seen).toEqual(Array.from({ length: 600 }, (_, n) => n));
  });

  test('while a call is handled: handled once, answered over the new one', async () => {
    const wire = await wired();
    const started = Promise.withResolvers<void>();
    const release = Promise.withResolvers<string>();
    let times = 0;
    const work = (): Promise<string> => {
      times += 1;
      started.resolve();
      return release.promise;
    };
    await through(wire).serve(topic, 'host-1', { version: '1.0', methods: { work, sync: () => 'here' } });
    const client = direct();
    const asked = client.call({ topic }, 'work', {});
    await started.promise;
    wire.cut();
    // The server is back, and has been handed the message again by then.
    expect(await client.call({ topic, server: 'host-1' }, 'sync', {})).toBe('here');
    release.resolve('done');
    expect(await asked).toBe('done');
    expect(times).toBe(1);
    await eventually(async () => expect((await bare.channel.checkQueue(topic)).messageCount).toBe(0));
  });

  test('of a caller that waits: its answer comes over the new one', async () => {
    const wire = await wired();
    const started = Promise.withResolvers<void>();
    const release = Promise.withResolvers<string>();
    const work = () => {
      started.resolve();
      return release.promise;
    };
    await direct().serve(topic, 'host-1', { version: '1.0', methods: { work } });
    const asked = through(wire).call({ topic }, 'work', {});
    await started.promise;
    wire.cut();
    release.resolve('done');
    expect(await asked).toBe('done');
  });

  test.each([
    ['at once', 0],
    ['after it had come back once, and had the message a second time', 1],
  ])('of a server that stays away, %s, gives its unfinished work to another one', async (_when, cuts) => {
    const wire = await wired();
    const started = Promise.withResolvers<void>();
    const never = new Promise<void>(() => undefined);
    const hang = () => {
      started.resolve();
      return never;
    };
    await through(wire).serve(topic, 'host-1', { version: '1.0', methods: { note: hang, sync: () => 'here' } });
    const client = direct();
    await client.cast({ topic }, 'note', { n: 7 });
    await started.promise;
    // Whatever the server had to say about the message until then has reached the broker.
    const goThere = () => client.call({ topic, server: 'host-1' }, 'sync', {});
    await goThere();
    for (let cut = 0; cut < cuts; cut += 1) {
      wire.cut();
      await goThere();
      await goThere();
    }
    wire.refuse(true);
    wire.cut();
    const seen = await serveNotes(direct(), 'host-2');
    await eventually(() => expect(seen).toEqual([7]));
  });

  test('is one line in the log when it is lost and one when it is back', async () => {
    const wire = await wired();
    const { log, at } = keptLog();
    const client = through(wire, { rabbit_retry_interval: 1, rabbit_interval_max: 1 }, log);
    await serveNotes(client);
    await client.call({ topic }, 'sync', {});
    wire.refuse(true);
    wire.cut();
    // Several tries fail meanwhile.
    await eventually(() => expect(at('warn').length).toBeGreaterThanOrEqual(2));
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    wire.refuse(false);
    await client.cast({ topic }, 'note', { n: 1 });
    const where = `127.0.0.1:${wire.port}`;
    expect(at('info')).toEqual([
      `connected to RabbitMQ at ${where}`,
      expect.stringMatching(`^connection to RabbitMQ at ${where} lost \\(.*\\); connecting again$`),
      expect.stringMatching(`^RabbitMQ at ${where}: it closed the connection at once: is this its AMQP port`),
      expect.stringMatching(`^connected to RabbitMQ at ${where} again after [0-9.]+ s$`),
    ]);
  });

  test('that falls silent is noticed by its heartbeats', async () => {
    const wire = await wired();
    const { log, at } = keptLog();
    const client = through(wire, { heartbeat_timeout_threshold: 2 }, log);
    const seen = await serveNotes(direct());
    await client.cast({ topic }, 'note', { n: 1 });
    wire.hold(true);
    const sent = client.cast({ topic }, 'note', { n: 2 });
    await eventually(() => expect(at('warn').join()).toMatch(/lost \(Heartbeat timeout\)/));
    wire.cut();
    wire.hold(false);
    await sent;
    await eventually(() => expect(seen).toEqual([1, 2]));
  });
});

describeWithBroker('several hosts', () => {
  test('are tried in turn, and a lost one is left for the next', async () => {
    const [one, two] = [await wired(), await wired()];
    one.refuse(true);
    const login = new URL(broker.transportUrl()).username;
    const password = new URL(broker.transportUrl()).password;
    const hosts = [one, two].map(({ port }) => `${login}:${password}@127.0.0.1:${port}`);
    const { log, at } = keptLog();
    const client = transports.connect(rabbitConfig(`rabbit://${hosts.join(',')}/`), log);
    const seen = await serveNotes(client);
    await client.cast({ topic }, 'note', { n: 1 });
    expect(at('info').at(-1)).toBe(`connected to RabbitMQ at 127.0.0.1:${two.port}`);
    one.refuse(false);
    two.refuse(true);
    two.cut();
    await client.cast({ topic }, 'note', { n: 2 });
    await eventually(() => expect(seen).toEqual([1, 2]));
    expect(at('info').at(-1)).toMatch(`connected to RabbitMQ at 127.0.0.1:${one.port} again`);
  });
});

describeWithBroker('a message that comes twice', () => {
  test('is handled once', async () => {
    const one = captured('network_create_end');
    const seen: unknown[] = [];
    const methods = { network_create_end: (args: unknown) => void seen.push(args), sync: () => 'here' };
    const transport = direct();
    await transport.serve(topic, 'vm', { version: '1.0', methods });
    for (let times = 0; times < 3; times += 1) await bare.send('neutron', `${topic}.vm`, bodyOf(one.request));
    await transport.call({ topic, server: 'vm' }, 'sync', {});
    expect(seen).toEqual([one.request.payload.args]);
    await eventually(async () => expect((await bare.channel.checkQueue(`${topic}.vm`)).messageCount).toBe(0));
  });

  test('over two queues is handled for each', async () => {
    const one = captured('network_create_end');
    const seen: unknown[] = [];
    const methods = { network_create_end: () => void seen.push(1) };
    await direct().serve(topic, 'vm', { version: '1.0', methods });
    await bare.send('neutron', `${topic}.vm`, bodyOf(one.request));
    await bare.send('neutron', topic, bodyOf(one.request));
    await eventually(() => expect(seen).toHaveLength(2));
  });
});

describeWithBroker('what a process has in hand', () => {
  test('is bounded for each queue, and the rest waits at the broker', async () => {
    let running = 0;
    let most = 0;
    const release = Promise.withResolvers<void>();
    const full = Promise.withResolvers<void>();
    const work = async (): Promise<void> => {
      running += 1;
      most = Math.max(most, running);
      if (running === 5) full.resolve();
      await release.promise;
      running -= 1;
    };
    const transport = direct({ rabbit_qos_prefetch_count: 5 });
    await transport.serve(topic, 'host-1', { version: '1.0', methods: { work } });
    for (let n = 0; n < 40; n += 1) await transport.cast({ topic }, 'work', {});
    await full.promise;
    expect((await bare.channel.checkQueue(topic)).messageCount).toBe(35);
    release.resolve();
    await eventually(async () => expect((await bare.channel.checkQueue(topic)).messageCount).toBe(0));
    expect(most).toBe(5);
  });
});

describeWithBroker('an answer whose queue is gone', () => {
  const serveWork = async (options: Parameters<typeof rabbitConfig>[1], log?: Parameters<Transports['connect']>[1]) => {
    await direct(options, log).serve(topic, 'host-1', { version: '1.0', methods: { get_network_info: () => 'late' } });
  };
  const ask = async (queue: string) => {
    const payload = { ...captured('get_network_info').request.payload, _reply_q: queue };
    const body = JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': JSON.stringify(payload) });
    await bare.send('neutron', topic, Buffer.from(body), { expiration: '60000' });
  };

  test('is tried again, and arrives when its caller makes the queue anew', async () => {
    const { log, at } = keptLog('debug');
    await serveWork({}, log);
    const queue = `reply_${randomUUID().replaceAll('-', '')}`;
    await ask(queue);
    // The request is done with: nothing of it waits at the server.
    await eventually(async () => expect((await bare.channel.checkQueue(topic)).messageCount).toBe(0));
    await bare.channel.assertQueue(queue, { durable: false, arguments: { 'x-expires': 1_800_000 } });
    const answers = await bare.read(queue);
    expect((await answers.next()).payload.result).toBe('late');
    expect(at('info').join()).not.toMatch(/dropped/);
  });

  test('is dropped after a while', async () => {
    const { log, at } = keptLog();
    await serveWork({ kombu_missing_consumer_retry_timeout: 1 }, log);
    await ask('reply_of_nobody');
    await eventually(() =>
      expect(at('info').join()).toMatch(/the caller and its queue are gone; its answer is dropped/),
    );
  });
});

describeWithBroker('queues and exchanges that go', () => {
  test('a call to a topic that has not been served yet waits for its server', async () => {
    const client = direct();
    const asked = client.call({ topic }, 'who', {});
    const askedOne = client.call({ topic, server: 'late' }, 'who', {});
    await client.cast({ topic: 'other' }, 'x', {});
    await direct().serve(topic, 'late', { version: '1.0', methods: { who: () => 'me' } });
    expect(await Promise.all([asked, askedOne])).toEqual(['me', 'me']);
  });

  test('a call to nobody says that there is no queue', async () => {
    const client = direct();
    await expect(client.call({ topic }, 'who', {}, { timeoutMs: 1_000 })).rejects.toThrow(
      new RegExp(
        `within 1000 ms: RabbitMQ at 127.0.0.1:${broker.port} has no queue ${topic}: it has not been served yet`,
      ),
    );
  });

  test('a queue that is deleted under its server is made again', async () => {
    const client = direct();
    await serveNotes(client);
    await bare.channel.deleteQueue(topic);
    expect(await client.call({ topic }, 'sync', {})).toBe('here');
  });

  test('an exchange that goes is made again, and what was on its way arrives', async () => {
    const client = direct();
    const seen = await serveNotes(client);
    await client.cast({ topic, fanout: true }, 'note', { n: 1 });
    // RabbitMQ deletes the exchange with its last queue, as when all servers have been away for half an hour.
    const { queue } = await bare.channel.assertQueue('', { exclusive: true });
    await bare.channel.deleteExchange(`${topic}_fanout`);
    await bare.channel.deleteQueue(queue);
    const sent = [2, 3, 4].map((n) => client.cast({ topic, fanout: true }, 'note', { n }));
    const others = [5, 6].map((n) => client.cast({ topic }, 'note', { n }));
    await Promise.all([...sent, ...others]);
    await eventually(() => expect(seen).toEqual(expect.arrayContaining([1, 5, 6])));
    await bare.channel.checkExchange(`${topic}_fanout`);
  });
});

describeWithBroker('what the broker refuses', () => {
  test('a message that is too large fails alone', async () => {
    const client = direct();
    const seen = await serveNotes(client);
    await client.cast({ topic }, 'note', { n: 0 });
    const before = Array.from({ length: 20 }, (_, n) => client.cast({ topic }, 'note', { n: n + 1 }));
    const large = client.cast({ topic }, 'note', { n: 'x'.repeat(1_500_000) });
    const after = Array.from({ length: 20 }, (_, n) => client.cast({ topic }, 'note', { n: n + 21 }));
    await expect(large).rejects.toThrow(MessageNotSent);
    await expect(large).rejects.toThrow(/note to t\w+ was not sent: .*127.0.0.1:\d+ refuses it: .*larger than/);
    await Promise.all([...before, ...after]);
    await client.call({ topic }, 'sync', {});
    expect(seen).toEqual(Array.from({ length: 41 }, (_, n) => n));
    const asked = client.call({ topic }, 'note', { n: 'x'.repeat(1_500_000) });
    await expect(asked).rejects.toThrow(/refuses it: .*larger than/);
  });

  test('a queue that was declared differently: serve says which option to set', async () => {
    await bare.channel.assertQueue(topic, { durable: true });
    const { log } = keptLog();
    const serving = direct({}, log).serve(topic, 'host-1', { version: '1.0', methods: {} });
    await expect(serving).rejects.toThrow(/cannot serve t\w+: .*PRECONDITION.*amqp_durable_queues.*delete_queue/);
    await bare.channel.deleteQueue(topic);
  });

  test('an exchange that was declared differently: cast and call say so', async () => {
    const config = rabbitConfig(broker.transportUrl());
    const control_exchange = `x${randomUUID().slice(0, 8)}`;
    await bare.channel.assertExchange(control_exchange, 'topic', { durable: true });
    const client = transports.connect({ ...config, DEFAULT: { ...config.DEFAULT, control_exchange } });
    const refused = await Promise.allSettled([
      client.cast({ topic }, 'a', {}),
      client.call({ topic }, 'b', {}),
      client.cast({ topic, fanout: true }, 'c', {}),
    ]);
    expect(refused.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
    for (const one of refused.slice(0, 2)) {
      expect(String((one as PromiseRejectedResult).reason)).toMatch(/was not sent: .*PRECONDITION_FAILED/);
    }
    const durable = transports.connect({
      DEFAULT: { ...config.DEFAULT, control_exchange },
      oslo_messaging_rabbit: { ...config.oslo_messaging_rabbit, amqp_durable_queues: true },
    });
    await durable.cast({ topic }, 'd', {});
    await bare.channel.deleteExchange(control_exchange);
  });

  test('a user that is wrong, a virtual host that is not there, a port of something else: the log says what to do', async () => {
    const web = createServer((_request, response) => response.end('hello')).listen(0, '127.0.0.1');
    await once(web, 'listening');
    const address = web.address();
    const webPort = typeof address === 'object' && address ? address.port : 0;
    const good = new URL(broker.transportUrl());
    const at = `127.0.0.1:${broker.port}`;
    const cases: [string, RegExp][] = [
      [
        `rabbit://nobody:wrong@${at}/`,
        new RegExp(`^RabbitMQ at ${at}: it refuses user "nobody": check user and password`),
      ],
      [
        `${broker.transportUrl()}nix`,
        new RegExp(`^RabbitMQ at ${at}: it refuses virtual host "${broker.vhost}nix" to user .*add_vhost`),
      ],
      [
        `rabbit://${good.username}:${good.password}@127.0.0.1:${webPort}/`,
        /it speaks another protocol: is this its AMQP port\?$/,
      ],
      [
        'rabbit://u:p@127.0.0.1:1/',
        /^RabbitMQ at 127.0.0.1:1: nothing listens there \(ECONNREFUSED\): is RabbitMQ running/,
      ],
      ['rabbit://u:p@no.such.host.invalid/', /the name no.such.host.invalid cannot be resolved/],
      [
        broker.transportUrl().replace(/$/, '?ssl=true'),
        /TLS fails \(ERR_SSL_WRONG_VERSION_NUMBER\): is this the port with TLS\?$/,
      ],
    ];
    for (const [url, wanted] of cases) {
      const { log, at: lines } = keptLog();
      const client = transports.connect(rabbitConfig(url), log);
      await expect(client.cast({ topic }, 'x', {}, { timeoutMs: 300 })).rejects.toThrow(/no connection to RabbitMQ at/);
      await eventually(() => expect(lines('warn').at(-1)).toMatch(wanted));
      expect(JSON.stringify(lines('info'))).not.toContain('wrong@');
      await client.close();
    }
    web.close();
  });
});

describeWithBroker('an exchange that goes with the last of its listeners', () => {
  test('is made anew for the next message to all; no other message comes twice', async () => {
    const client = direct();
    await client.cast({ topic, fanout: true }, 'note', { n: 0 });
    await client.cast({ topic }, 'note', { n: 0 });
    const { queue } = await bare.channel.assertQueue('', { exclusive: true });
    await bare.channel.bindQueue(queue, 'neutron', topic);
    const heard = await bare.read(queue);
    const seen: unknown[] = [];
    for (let round = 1; round <= 5; round += 1) {
      await bare.channel.deleteExchange(`${topic}_fanout`);
      const sent = Array.from({ length: 40 }, (_, n) => client.cast({ topic }, 'note', { n: round * 100 + n }));
      sent.splice(20, 0, client.cast({ topic, fanout: true }, 'note', { n: -round }));
      await Promise.all(sent);
      await client.cast({ topic }, 'note', { n: 'end' });
      for (;;) {
        const { payload } = await heard.next();
        const { n } = payload.args as { n: unknown };
        if (n === 'end') break;
        seen.push(n);
      }
    }
    expect(seen).toEqual([1, 2, 3, 4, 5].flatMap((round) => Array.from({ length: 40 }, (_, n) => round * 100 + n)));
  });
});

describeWithBroker('a transport without a broker', () => {
  test('fails calls and casts in their time, saying why', async () => {
    const client = transports.connect(rabbitConfig('rabbit://u:p@127.0.0.1:1/'));
    const why = /no connection to RabbitMQ at 127.0.0.1:1 \(.*nothing listens there/;
    const [called, cast] = await Promise.allSettled([
      client.call({ topic }, 'm', {}, { timeoutMs: 200 }),
      client.cast({ topic }, 'm', {}, { timeoutMs: 200 }),
    ]);
    expect(String((called as PromiseRejectedResult).reason)).toMatch(/no answer to m on t\w+ within 200 ms/);
    expect(String((called as PromiseRejectedResult).reason)).toMatch(why);
    expect(String((cast as PromiseRejectedResult).reason)).toMatch(why);
    expect(String((cast as PromiseRejectedResult).reason)).toMatch(
      /check that RabbitMQ runs and that transport_url names it/,
    );
  });

  test('serves, and sends what waits, as soon as there is one', async () => {
    const wire = await wired();
    wire.refuse(true);
    const { log, at } = keptLog();
    const server = through(wire, {}, log);
    const { seen, methods } = notes();
    const served = server.serve(topic, 'host-1', { version: '1.0', methods });
    const sent = server.cast({ topic }, 'note', { n: 1 });
    await eventually(() => expect(at('warn').length).toBeGreaterThan(0));
    wire.refuse(false);
    await Promise.all([served, sent]);
    await eventually(() => expect(seen).toEqual([1]));
  });

  // What is thrown outside of any call ends this test run, as it would end a server.
  test('survives that only one of its connections is made', async () => {
    const wire = await wired();
    wire.refuse('second');
    const { log, at } = keptLog();
    const server = through(wire, {}, log);
    await eventually(() => expect(at('warn').length).toBeGreaterThan(0));
    await eventually(() => expect(wire.open).toBe(0));
    wire.refuse(false);
    const seen = await serveNotes(server);
    await server.cast({ topic }, 'note', { n: 1 });
    await eventually(() => expect(seen).toEqual([1]));
  });

  test('closes at once, and fails what waits', async () => {
    const client = transports.connect(rabbitConfig('rabbit://u:p@127.0.0.1:1/'));
    const waiting = Promise.allSettled([
      client.cast({ topic }, 'm', {}),
      client.call({ topic }, 'm', {}),
      client.serve(topic, 'host-1', { version: '1.0', methods: {} }),
    ]);
    await client.close();
    for (const one of await waiting)
      expect(String((one as PromiseRejectedResult).reason)).toMatch(/transport is closed/);
  });
});
