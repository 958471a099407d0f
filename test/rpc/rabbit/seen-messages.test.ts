import { describe, expect, test } from 'vitest';
import { SeenMessages } from '../../../src/rpc/rabbit/seen-messages.ts';

describe('recent ids', () => {
  test('run the work of a message once for each queue', async () => {
    const recent = new SeenMessages();
    const done: string[] = [];
    const work = (name: string) => async () => {
      done.push(name);
    };
    expect(recent.once('q', 'a', work('q a')).first).toBe(true);
    expect(recent.once('q', 'a', work('again')).first).toBe(false);
    expect(recent.once('other', 'a', work('other a')).first).toBe(true);
    expect(done).toEqual(['q a', 'other a']);
  });

  test('let the second wait for the work of the first', async () => {
    const recent = new SeenMessages();
    const { promise, resolve } = Promise.withResolvers<void>();
    recent.once('q', 'a', () => promise);
    let ended = false;
    const second = recent
      .once('q', 'a', async () => undefined)
      .done.then(() => {
        ended = true;
      });
    await new Promise((next) => setImmediate(next));
    expect(ended).toBe(false);
    resolve();
    await second;
  });

  test('forget the oldest beyond their bound', () => {
    const recent = new SeenMessages(2);
    const nothing = async () => undefined;
    for (const id of ['a', 'b', 'c']) recent.once('q', id, nothing);
    expect(recent.once('q', 'b', nothing).first).toBe(false);
    expect(recent.once('q', 'a', nothing).first).toBe(true);
  });
});
