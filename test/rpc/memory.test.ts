import pino from 'pino';
import { afterEach, describe, expect, test } from 'vitest';
import type { RpcTransport } from '../../src/rpc/contract.ts';
import { QueueFull } from '../../src/rpc/errors.ts';
import { createMemoryTransport } from '../../src/rpc/memory/transport.ts';
import { describeRpcTransport } from './contract.ts';

const log = pino({ level: 'silent' });

describeRpcTransport('memory', async () => {
  const transport = createMemoryTransport({ log });
  return { connect: async () => transport, close: () => transport.close() };
});

describe('the memory transport', () => {
  let transport: RpcTransport | undefined;
  const open = (maxQueued?: number): RpcTransport => {
    transport = createMemoryTransport({ log, ...(maxQueued === undefined ? {} : { maxQueued }) });
    return transport;
  };
  afterEach(async () => {
    await transport?.close();
  });

  test('keeps a call until a server comes', async () => {
    const rpc = open();
    const asked = rpc.call({ topic: 'late' }, 'who', {});
    const asked2 = rpc.call({ topic: 'late', server: 'h' }, 'who', {});
    await rpc.serve('late', 'h', { version: '1.0', methods: { who: () => 'me' } });
    expect(await Promise.all([asked, asked2])).toEqual(['me', 'me']);
  });

  test('does not deliver a call that timed out while it waited', async () => {
    const rpc = open();
    await expect(rpc.call({ topic: 'late' }, 'who', { n: 1 }, { timeoutMs: 5 })).rejects.toThrow(/5 ms/);
    const seen: unknown[] = [];
    await rpc.serve('late', 'h', { version: '1.0', methods: { who: ({ n }) => seen.push(n) } });
    await rpc.call({ topic: 'late' }, 'who', { n: 2 });
    expect(seen).toEqual([2]);
  });

  test('drops a cast that nobody serves yet', async () => {
    const rpc = open();
    await rpc.cast({ topic: 'late', server: 'h' }, 'note', { n: 1 });
    const seen: unknown[] = [];
    await rpc.serve('late', 'h', { version: '1.0', methods: { note: ({ n }) => seen.push(n), sync: () => null } });
    await rpc.cast({ topic: 'late', server: 'h' }, 'note', { n: 2 });
    await rpc.call({ topic: 'late', server: 'h' }, 'sync', {});
    expect(seen).toEqual([2]);
  });

  test('refuses with QueueFull when a server does not keep up, and goes on when it does again', async () => {
    const rpc = open(10);
    const release = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    let running = 0;
    const most = { running: 0 };
    await rpc.serve('slow', 'h', {
      version: '1.0',
      methods: {
        work: async () => {
          running += 1;
          most.running = Math.max(most.running, running);
          if (running === 64) started.resolve();
          await release.promise;
          running -= 1;
        },
        sync: () => 'here',
      },
    });
    // As many as run side by side; what comes after waits.
    for (let n = 0; n < 64; n += 1) {
      await rpc.cast({ topic: 'slow' }, 'work', {});
      await new Promise((resolve) => setImmediate(resolve));
    }
    await started.promise;
    for (let n = 0; n < 10; n += 1) await rpc.cast({ topic: 'slow' }, 'work', {});
    await expect(rpc.cast({ topic: 'slow' }, 'work', {})).rejects.toThrow(QueueFull);
    await expect(rpc.call({ topic: 'slow' }, 'sync', {})).rejects.toThrow(/queue slow is full: 10 messages/);
    release.resolve();
    expect(await rpc.call({ topic: 'slow', server: 'h' }, 'sync', {})).toBe('here');
    expect(most.running).toBe(64);
  });

  test('by fanout passes over a server whose queue is full and tells the sender', async () => {
    const rpc = open(1);
    const seen: unknown[] = [];
    const second = Promise.withResolvers<void>();
    await rpc.serve('t', 'fast', {
      version: '1.0',
      methods: {
        note: ({ n }) => {
          seen.push(n);
          if (n === 66) second.resolve();
        },
      },
    });
    await rpc.serve('t', 'stuck', { version: '1.0', methods: { note: () => new Promise(() => undefined) } });
    const failures: unknown[] = [];
    for (let n = 0; n <= 66; n += 1) {
      await rpc.cast({ topic: 't', fanout: true }, 'note', { n }).catch((error: unknown) => failures.push(error));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await second.promise;
    expect(seen).toHaveLength(67);
    expect(failures.length).toBeGreaterThan(0);
    expect(failures[0]).toBeInstanceOf(QueueFull);
    // The stuck handlers are not waited for: this transport is thrown away.
    void rpc.close();
    transport = undefined;
  });
});
