import { describe, expect, it } from 'vitest';
import { type Announcement, publish } from '../../src/notifier/publish.ts';
import type { RpcTransport } from '../../src/rpc/contract.ts';

/** A transport that refuses the methods it is told to, once each. */
function transport(refused: readonly string[] = [], hangs: readonly string[] = []) {
  const taken: string[] = [];
  const timeouts: unknown[] = [];
  const left = new Set(refused);
  const cast: RpcTransport['cast'] = (_target, method, _args, options) => {
    timeouts.push(options?.timeoutMs);
    if (left.delete(method)) return Promise.reject(new Error(`refused ${method}`));
    if (hangs.includes(method)) return new Promise(() => {});
    taken.push(method);
    return Promise.resolve();
  };
  return { taken, timeouts, bus: { cast } as unknown as RpcTransport };
}

const event = (row: number, ...methods: string[]): Announcement => ({
  row,
  casts: methods.map((method) => ({ target: { topic: 't' }, method, args: {}, version: '1.0' })),
});

describe('publishing the events of an ordering key', () => {
  it('passes them to the transport in order', async () => {
    const { bus, taken } = transport();
    expect(await publish(bus, [event(1, 'a', 'b'), event(2), event(3, 'c')])).toEqual({ published: [1, 2, 3] });
    expect(taken).toEqual(['a', 'b', 'c']);
  });

  it('counts nothing as published from the first failure on, so that all of it is published again', async () => {
    const { bus, taken } = transport(['b']);
    const events = [event(1, 'a'), event(2, 'b'), event(3, 'c')];
    const first = await publish(bus, events);
    expect(first.published).toEqual([1]);
    expect(String(first.failure)).toContain('refused b');
    expect(await publish(bus, events.slice(1))).toEqual({ published: [2, 3] });
    expect(taken.slice(-2)).toEqual(['b', 'c']);
  });

  it('handles every failure when several messages of one event fail', async () => {
    const { bus } = transport(['a', 'b']);
    expect((await publish(bus, [event(1, 'a', 'b')])).published).toEqual([]);
  });

  it('stops waiting for a transport that accepts no message, after the transport itself must have given up', async () => {
    const { bus, timeouts } = transport([], ['a']);
    const { published, failure } = await publish(bus, [event(1, 'a')], 20, 5);
    expect(published).toEqual([]);
    expect(String(failure)).toContain('did not take a message within 20 ms');
    expect(timeouts).toEqual([20]);
  });

  it('survives a transport that throws at once', async () => {
    const cast = () => {
      throw new TypeError('cannot be encoded');
    };
    const { failure } = await publish({ cast } as unknown as RpcTransport, [event(1, 'a')]);
    expect(String(failure)).toContain('cannot be encoded');
  });
});
