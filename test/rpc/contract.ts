import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RpcArgs, RpcEndpoint, RpcTransport } from '../../src/rpc/contract.ts';
import { MessagingTimeout, NoSuchMethod, RemoteError, UnsupportedVersion } from '../../src/rpc/errors.ts';

/** Where transports of one kind meet: the memory of one process, or a broker. */
export interface RpcWorld {
  /** A transport of a party of its own; in memory all parties share one. */
  connect(): Promise<RpcTransport>;
  close(): Promise<void>;
}

/** The RpcTransport contract as tests; every implementation runs them. */
export function describeRpcTransport(name: string, createWorld: () => Promise<RpcWorld>): void {
  describe(`RPC over ${name}`, () => {
    let world: RpcWorld;
    let client: RpcTransport;
    let serving: RpcTransport;
    let topic: string;

    beforeEach(async () => {
      world = await createWorld();
      client = await world.connect();
      serving = await world.connect();
      topic = `t${randomUUID().slice(0, 8)}`;
    });
    afterEach(async () => {
      await world.close();
    });

    const serve = (methods: RpcEndpoint['methods'], server = 'host-1', version = '1.3') =>
      serving.serve(topic, server, { version, methods });

    describe('call', () => {
      test('gives the answer', async () => {
        await serve({ add: ({ a, b }) => Number(a) + Number(b) });
        expect(await client.call({ topic }, 'add', { a: 2, b: 3 })).toBe(5);
      });

      test('waits for an answer that takes its time', async () => {
        await serve({ slow: () => new Promise((resolve) => setTimeout(resolve, 30, 'done')) });
        expect(await client.call({ topic }, 'slow', {})).toBe('done');
      });

      test('gives null for a handler that returns nothing', async () => {
        await serve({ quiet: () => undefined });
        expect(await client.call({ topic }, 'quiet', {})).toBeNull();
      });

      test('carries what JSON can hold, of any size and script', async () => {
        await serve({ echo: (args) => args });
        const args = { text: 'ü 語 🐟 "quoted"\n', number: -1.5, none: null, list: [1, [2]], big: 'x'.repeat(300_000) };
        expect(await client.call({ topic }, 'echo', args)).toEqual(args);
      });

      test('shares no object between caller and server', async () => {
        const kept: { list: number[] } = { list: [1] };
        await serve({
          change: (args) => {
            (args.list as number[]).push(99);
            return kept;
          },
        });
        const sent = { list: [1, 2] };
        const got = (await client.call({ topic }, 'change', sent)) as { list: number[] };
        got.list.push(7);
        expect(sent.list).toEqual([1, 2]);
        expect(kept.list).toEqual([1]);
      });

      test('refuses what JSON cannot hold, naming the method', async () => {
        await serve({ echo: (args) => args });
        await expect(client.call({ topic }, 'echo', { n: 1n })).rejects.toThrow(/echo/);
      });

      test('reaches the one server that is named', async () => {
        await serve({ who: () => 'one' }, 'host-1');
        await serve({ who: () => 'two' }, 'host-2');
        const asked = ['host-2', 'host-1', 'host-2'];
        expect(await Promise.all(asked.map((server) => client.call({ topic, server }, 'who', {})))).toEqual([
          'two',
          'one',
          'two',
        ]);
      });

      test('is shared out among the servers of a topic', async () => {
        await serve({ who: () => 'one' }, 'host-1');
        await serve({ who: () => 'two' }, 'host-2');
        const answers: unknown[] = [];
        for (let n = 0; n < 6; n += 1) answers.push(await client.call({ topic }, 'who', {}));
        expect(answers.filter((who) => who === 'one')).toHaveLength(3);
        expect(answers.filter((who) => who === 'two')).toHaveLength(3);
      });

      test('answers many at a time, each to its caller', async () => {
        await serve({ echo: ({ n }) => new Promise((resolve) => setTimeout(resolve, Number(n) % 5, n)) });
        const numbers = Array.from({ length: 300 }, (_, n) => n);
        expect(await Promise.all(numbers.map((n) => client.call({ topic }, 'echo', { n })))).toEqual(numbers);
      });

      test('may be made from within a handler to the same topic', async () => {
        await serve({ outer: () => client.call({ topic }, 'inner', {}), inner: () => 'inside' });
        expect(await client.call({ topic }, 'outer', {})).toBe('inside');
      });
    });

    describe('a call that fails', () => {
      test('to nobody: MessagingTimeout naming topic, method and time', async () => {
        const failure = client.call({ topic }, 'anybody', {}, { timeoutMs: 20 });
        await expect(failure).rejects.toThrow(MessagingTimeout);
        await expect(failure).rejects.toMatchObject({ topic, method: 'anybody', timeoutMs: 20 });
        await expect(failure).rejects.toThrow(new RegExp(`anybody.*${topic}.*20 ms`));
      });

      test('without an answer in time: MessagingTimeout', async () => {
        const { promise, resolve } = Promise.withResolvers<void>();
        await serve({ stuck: () => promise });
        await expect(client.call({ topic }, 'stuck', {}, { timeoutMs: 20 })).rejects.toThrow(MessagingTimeout);
        resolve();
      });

      test('by an error of the handler: RemoteError with its class and message', async () => {
        class NetworkNotFound extends Error {}
        await serve({
          show: () => {
            throw new NetworkNotFound('Network n1 could not be found.');
          },
          refuse: async () => {
            throw new TypeError('no');
          },
        });
        const failure = client.call({ topic }, 'show', {});
        await expect(failure).rejects.toThrow(RemoteError);
        await expect(failure).rejects.toMatchObject({
          remoteClass: 'NetworkNotFound',
          remoteMessage: 'Network n1 could not be found.',
        });
        await expect(client.call({ topic }, 'refuse', {})).rejects.toMatchObject({ remoteClass: 'TypeError' });
      });

      test('by a result that cannot be sent: RemoteError', async () => {
        await serve({ big: () => ({ n: 1n }) });
        await expect(client.call({ topic }, 'big', {})).rejects.toThrow(RemoteError);
      });

      test.each(['2.0', '1.4', '0.3', 'x'])(
        'by version %s where 1.3 is served: UnsupportedVersion',
        async (version) => {
          await serve({ show: () => 'shown' });
          const failure = client.call({ topic }, 'show', {}, { version });
          await expect(failure).rejects.toThrow(UnsupportedVersion);
          await expect(failure).rejects.toThrow(
            `Endpoint does not support RPC version ${version}. Attempted method: show`,
          );
        },
      );

      test.each(['absent', 'constructor', 'toString'])(
        'by method %s that is not served: NoSuchMethod',
        async (method) => {
          await serve({ show: () => 'shown' });
          const failure = client.call({ topic }, method, {});
          await expect(failure).rejects.toThrow(NoSuchMethod);
          await expect(failure).rejects.toThrow(`Endpoint does not support RPC method ${method}`);
        },
      );

      test('does not end the server', async () => {
        await serve({
          fail: () => {
            throw new Error('once');
          },
          show: () => 'shown',
        });
        await expect(client.call({ topic }, 'fail', {})).rejects.toThrow(RemoteError);
        expect(await client.call({ topic }, 'show', {})).toBe('shown');
      });

      test('accepts every minor up to the one served', async () => {
        await serve({ show: () => 'shown' });
        for (const version of ['1.0', '1.1', '1.3']) {
          expect(await client.call({ topic }, 'show', {}, { version })).toBe('shown');
        }
      });
    });

    describe('cast', () => {
      /** A served method `note` that resolves `whenAll` after `expected` messages, kept in `seen`. */
      const notes = (expected: number) => {
        const seen: RpcArgs[] = [];
        const { promise: whenAll, resolve } = Promise.withResolvers<void>();
        const note = (args: RpcArgs): void => {
          seen.push(args);
          if (seen.length === expected) resolve();
        };
        return { seen, whenAll, methods: { note } };
      };

      test('is handed over in order', async () => {
        const { seen, whenAll, methods } = notes(500);
        await serve(methods);
        for (let n = 0; n < 500; n += 1) await client.cast({ topic, server: 'host-1' }, 'note', { n });
        await whenAll;
        expect(seen.map(({ n }) => n)).toEqual(Array.from({ length: 500 }, (_, n) => n));
      });

      test('does not run the handler inside the sender’s own step', async () => {
        const { seen, whenAll, methods } = notes(1);
        await serve(methods);
        const sent = client.cast({ topic }, 'note', {});
        expect(seen).toHaveLength(0);
        await sent;
        await whenAll;
      });

      test('reaches the one server that is named', async () => {
        const one = notes(1);
        const two = notes(1);
        await serve(one.methods, 'host-1');
        await serve(two.methods, 'host-2');
        await client.cast({ topic, server: 'host-2' }, 'note', { to: 'two' });
        await client.cast({ topic, server: 'host-1' }, 'note', { to: 'one' });
        await Promise.all([one.whenAll, two.whenAll]);
        expect(one.seen).toEqual([{ to: 'one' }]);
        expect(two.seen).toEqual([{ to: 'two' }]);
      });

      test('to a topic reaches one of its servers, each in turn', async () => {
        const one = notes(2);
        const two = notes(2);
        await serve(one.methods, 'host-1');
        await serve(two.methods, 'host-2');
        for (let n = 0; n < 4; n += 1) await client.cast({ topic }, 'note', { n });
        await Promise.all([one.whenAll, two.whenAll]);
        expect([...one.seen, ...two.seen].map(({ n }) => n).sort()).toEqual([0, 1, 2, 3]);
      });

      test('by fanout reaches every server, each with a copy of its own', async () => {
        const one = notes(1);
        const two = notes(1);
        await serve(one.methods, 'host-1');
        await serve(two.methods, 'host-2');
        await client.cast({ topic, fanout: true }, 'note', { list: [1] });
        await Promise.all([one.whenAll, two.whenAll]);
        expect(one.seen).toEqual([{ list: [1] }]);
        expect(two.seen).toEqual([{ list: [1] }]);
        expect(one.seen[0]).not.toBe(two.seen[0]);
      });

      test('to nobody is no error', async () => {
        await client.cast({ topic }, 'note', {});
        await client.cast({ topic, server: 'nowhere' }, 'note', {});
        await client.cast({ topic, fanout: true }, 'note', {});
      });

      test('whose handler fails, or has the wrong version or method, leaves the server serving', async () => {
        const { seen, whenAll, methods } = notes(1);
        await serve({
          ...methods,
          fail: () => {
            throw new Error('no');
          },
        });
        await client.cast({ topic }, 'fail', {});
        await client.cast({ topic }, 'absent', {});
        await client.cast({ topic }, 'note', { from: 'the future' }, { version: '9.0' });
        await client.cast({ topic }, 'note', { n: 1 });
        await whenAll;
        expect(seen).toEqual([{ n: 1 }]);
      });
    });

    describe('close', () => {
      test('of a server ends its serving; the others go on', async () => {
        const first = await serve({ who: () => 'one' }, 'host-1');
        await serve({ who: () => 'two' }, 'host-2');
        await first.close();
        const answers = await Promise.all(Array.from({ length: 4 }, () => client.call({ topic }, 'who', {})));
        expect(answers).toEqual(['two', 'two', 'two', 'two']);
      });

      test('of a server waits for handlers that run, and their callers get the answer', async () => {
        const started = Promise.withResolvers<void>();
        const release = Promise.withResolvers<void>();
        const server = await serve({
          work: async () => {
            started.resolve();
            await release.promise;
            return 'done';
          },
        });
        const answer = client.call({ topic }, 'work', {});
        await started.promise;
        const closed = server.close();
        release.resolve();
        await closed;
        expect(await answer).toBe('done');
      });

      test('of a server twice is one', async () => {
        const server = await serve({ who: () => 'one' });
        await Promise.all([server.close(), server.close()]);
        await server.close();
      });

      test('of the transport fails calls that wait, and what is asked afterwards', async () => {
        const waiting = client.call({ topic }, 'anybody', {});
        const failed = expect(waiting).rejects.toThrow(/closed/);
        await client.close();
        await failed;
        await expect(client.call({ topic }, 'who', {})).rejects.toThrow(/closed/);
        await expect(client.cast({ topic }, 'who', {})).rejects.toThrow(/closed/);
        await expect(client.serve(topic, 'host-1', { version: '1.0', methods: {} })).rejects.toThrow(/closed/);
        await client.close();
      });
    });
  });
}
