import { describe, expect, it } from 'vitest';
import { type Announcement, publish } from '../../src/notifier/publish.ts';
import type { RpcTransport } from '../../src/rpc/contract.ts';

/** A transport that refuses the methods it is told to, once each. */
function transport(refused: readonly string[] = [], hangs: readonly string[] = []) {
  const taken: string[] = [];
  const left = new Set(refused);
  const cast: RpcTransport['cast'] = (_target, method) => {
    if (left.delete(method)) return Promise.reject(new Error(`refused ${method}`));
    if (hangs.includes(method)) return new Promise(() => {});
    taken.push(method);
    return Promise.resolve();
  };
  return { taken, bus: { cast } as unknown as RpcTransport };
}

const event = (row: number, ...methods: string[]): Announcement => ({
  row,
  casts: methods.map((method) => ({ target: { topic: 't' }, method, args: {}, version: '1.0' })),
});

describe('publishing', () => {
  it('hands over the events of a subject in order', async () => {
    const { bus, taken } = transport();
    const { told, failed } = await publish(bus, new Map([['n', [event(1, 'a', 'b'), event(2), event(3, 'c')]]]));
    expect(taken).toEqual(['a', 'b', 'c']);
    expect(told).toEqual([1, 2, 3]);
    expect(failed.size).toBe(0);
  });

  it('counts nothing of a subject as told from its first failure on, so that all of that is told again', async () => {
    const { bus, taken } = transport(['b']);
    const events = [event(1, 'a'), event(2, 'b'), event(3, 'c')];
    const first = await publish(bus, new Map([['n', events]]));
    expect(first.told).toEqual([1]);
    expect(String(first.failed.get('n'))).toContain('refused b');
    const second = await publish(bus, new Map([['n', events.slice(1)]]));
    expect(second.told).toEqual([2, 3]);
    expect(taken.slice(-2)).toEqual(['b', 'c']);
  });

  it('lets other subjects go on', async () => {
    const { bus } = transport(['a']);
    const { told, failed } = await publish(
      bus,
      new Map([
        ['n', [event(1, 'a')]],
        ['m', [event(2, 'b')]],
      ]),
    );
    expect(told).toEqual([2]);
    expect([...failed.keys()]).toEqual(['n']);
  });

  it('leaves no failure unheard when several messages of one event fail', async () => {
    const { bus } = transport(['a', 'b']);
    expect((await publish(bus, new Map([['n', [event(1, 'a', 'b')]]]))).told).toEqual([]);
  });

  it('does not wait for ever for a transport that does not take a message', async () => {
    const { bus } = transport([], ['a']);
    const { failed } = await publish(bus, new Map([['n', [event(1, 'a')]]]), 20);
    expect(String(failed.get('n'))).toContain('did not take a message within 20 ms');
  });
});
