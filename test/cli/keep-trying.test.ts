import { pino } from 'pino';
import { expect, it } from 'vitest';
import { keepTrying } from '../../src/cli/compose/keep-trying.ts';

const silent = pino({ level: 'silent' });

it('tries again until the part starts, and says once that it did not', async () => {
  const lines: string[] = [];
  const log = pino({ base: null }, { write: (line: string) => void lines.push(line) });
  const { promise: started, resolve } = Promise.withResolvers<void>();
  let tries = 0;
  let closed = 0;
  const part = keepTrying(
    'agents cannot be served',
    async () => {
      tries += 1;
      if (tries < 3) throw new Error('refused');
      resolve();
      return {
        async close() {
          closed += 1;
        },
      };
    },
    log,
  );
  await started;
  await part.close();
  expect([tries, closed]).toEqual([3, 1]);
  expect(lines.filter((line) => line.includes('trying again until they can'))).toHaveLength(1);
  expect(lines.at(-1)).toContain('over: agents cannot be served');
});

it('closing does not wait for a part that starts; the part is closed when it comes', async () => {
  const { promise: late, resolve: come } = Promise.withResolvers<{ close(): Promise<void> }>();
  const { promise: closed, resolve: close } = Promise.withResolvers<void>();
  const part = keepTrying('trouble', () => late, silent);
  await part.close();
  come({ close: async () => close() });
  await closed;
});
