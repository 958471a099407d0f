import { describe, expect, it } from 'vitest';
import { KeyedQueue } from '../../../src/agents/common/keyed-queue.ts';

/** A queue whose passes the test lets go one by one. */
function stage(workers: number, maxWaiting?: number) {
  const started: string[] = [];
  const gates = new Map<string, PromiseWithResolvers<void>>();
  const errors: [string, unknown][] = [];
  const queue = new KeyedQueue({
    workers,
    ...(maxWaiting === undefined ? {} : { maxWaiting }),
    work: async (key) => {
      started.push(key);
      const gate = Promise.withResolvers<void>();
      gates.set(key, gate);
      await gate.promise;
    },
    onError: (key, error) => errors.push([key, error]),
  });
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  return {
    queue,
    started,
    errors,
    settle,
    finish: async (key: string, error?: Error) => {
      const gate = gates.get(key);
      if (!gate) throw new Error(`no pass of ${key} runs`);
      gates.delete(key);
      if (error) gate.reject(error);
      else gate.resolve();
      await settle();
    },
  };
}

describe('KeyedQueue', () => {
  it('makes one pass of what is added before it starts', async () => {
    const { queue, started, settle, finish } = stage(1);
    for (let i = 0; i < 1_000; i += 1) queue.add('n1');
    await settle();
    await finish('n1');
    expect(started).toEqual(['n1']);
    expect(queue.size).toBe(0);
  });

  it('makes one more pass of all that is added while one runs', async () => {
    const { queue, started, settle, finish } = stage(4);
    queue.add('n1');
    await settle();
    for (let i = 0; i < 1_000; i += 1) queue.add('n1');
    await settle();
    expect(started).toEqual(['n1']);
    await finish('n1');
    await finish('n1');
    expect(started).toEqual(['n1', 'n1']);
    await queue.idle();
  });

  it('works on as many keys side by side as it has workers, and on none twice', async () => {
    const { queue, started, settle, finish } = stage(2);
    for (const key of ['a', 'b', 'c', 'a']) queue.add(key);
    await settle();
    expect(started).toEqual(['a', 'b']);
    await finish('b');
    expect(started).toEqual(['a', 'b', 'c']);
  });

  it('takes the most urgent first, and the order of asking among equals', async () => {
    const { queue, started, settle, finish } = stage(1);
    queue.add('now');
    await settle();
    queue.add('later', 9);
    queue.add('soon', 5);
    queue.add('soon too', 5);
    queue.add('urgent', 0);
    // Asked for again more urgently: it moves up; less urgently: it stays.
    queue.add('later', 1);
    queue.add('urgent', 7);
    for (const key of ['now', 'urgent', 'later', 'soon', 'soon too']) await finish(key);
    expect(started).toEqual(['now', 'urgent', 'later', 'soon', 'soon too']);
  });

  it('keeps the priority of what is added while a pass of the key runs', async () => {
    const { queue, started, settle, finish } = stage(1);
    queue.add('a');
    await settle();
    queue.add('a', 1);
    queue.add('b', 5);
    await finish('a');
    await finish('a');
    expect(started).toEqual(['a', 'a', 'b']);
  });

  it('lets no key wait for ever behind urgent ones', async () => {
    const { queue, started, settle, finish } = stage(1);
    queue.add('first', 0);
    await settle();
    queue.add('humble', 15);
    for (let i = 0; !started.includes('humble'); i += 1) {
      if (i > 20) throw new Error('starved');
      queue.add(`urgent ${i}`, 0);
      await finish(started.at(-1) as string);
    }
  });

  it('takes a nonsense priority for the nearest that there is', async () => {
    const { queue, started, settle, finish } = stage(1);
    queue.add('first');
    await settle();
    queue.add('nan', Number.NaN);
    queue.add('huge', 1e9);
    queue.add('negative', -5);
    for (const key of ['first', 'negative', 'nan', 'huge']) await finish(key);
    expect(started).toEqual(['first', 'negative', 'nan', 'huge']);
  });

  it('tells of a pass that fails, and goes on', async () => {
    const { queue, errors, started, settle, finish } = stage(1);
    queue.add('a');
    queue.add('b');
    await settle();
    await finish('a', new Error('boom'));
    expect(errors).toEqual([['a', new Error('boom')]]);
    expect(started).toEqual(['a', 'b']);
  });

  it('is bounded', async () => {
    const { queue, settle } = stage(1, 2);
    queue.add('running');
    await settle();
    queue.add('a');
    queue.add('b');
    queue.add('a', 0);
    expect(() => queue.add('c')).toThrow('2 keys wait already; "c" is not taken');
  });

  it('closes when what runs has ended, dropping what waits', async () => {
    const { queue, started, settle, finish } = stage(1);
    queue.add('a');
    queue.add('b');
    await settle();
    queue.add('a');
    let closed = false;
    const closing = queue.close().then(() => {
      closed = true;
    });
    queue.add('c');
    await settle();
    expect(closed).toBe(false);
    await finish('a');
    await closing;
    expect(started).toEqual(['a']);
  });

  it('refuses to have no workers', () => {
    expect(() => stage(0)).toThrow('whole number of workers from 1 up, not 0');
  });
});
