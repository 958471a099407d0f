import { describe, expect, it } from 'vitest';
import { pause } from '../../src/time/pause.ts';
import { WaitTimeout, waitFor } from '../../src/time/wait.ts';

describe('waitFor', () => {
  it('returns the value of an event', async () => {
    expect(await waitFor('an event', Promise.resolve(7), 1_000)).toBe(7);
  });

  it('polls until there is a value', async () => {
    let looks = 0;
    expect(await waitFor('three looks', async () => ++looks >= 3 && `after ${looks}`, 10_000)).toBe('after 3');
  });

  it('accepts 0 and the empty string as values', async () => {
    expect(await waitFor('a number', () => 0, 1_000)).toBe(0);
    expect(await waitFor('a text', () => '', 1_000)).toBe('');
  });

  it('names what did not happen', async () => {
    const waiting = waitFor('dnsmasq of network n1 is up', () => false as const, 5);
    await expect(waiting).rejects.toThrow('waited 5 ms for dnsmasq of network n1 is up');
    await expect(waitFor('the end', new Promise(() => undefined), 1)).rejects.toThrow(new WaitTimeout('the end', 1));
  });

  it('stops polling after its time limit', async () => {
    let looks = 0;
    await expect(
      waitFor(
        'never',
        () => {
          looks += 1;
          return null;
        },
        5,
      ),
    ).rejects.toThrow('never');
    const then = looks;
    await pause(30);
    expect(looks).toBe(then);
  });

  it('throws the error of a poll', async () => {
    await expect(
      waitFor(
        'a broken look',
        () => {
          throw new Error('no such file');
        },
        1_000,
      ),
    ).rejects.toThrow('no such file');
  });

  it('ends with the reason of its signal', async () => {
    const stop = new AbortController();
    const waiting = waitFor('never', () => false as const, {
      timeoutMs: 60_000,
      intervalMs: 60_000,
      signal: stop.signal,
    });
    stop.abort(new Error('given up'));
    await expect(waiting).rejects.toThrow('given up');
  });
});
