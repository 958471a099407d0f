import { pino } from 'pino';
import { expect, it } from 'vitest';
import { keepTrying } from '../../src/cli/compose/keep-trying.ts';

const OUTAGE = { broken: 'agents cannot be served', restored: 'agents are served again' };
const silent = pino({ level: 'silent' });

it('retries until the component starts, and logs the outage and its end once', async () => {
  const lines: string[] = [];
  const log = pino({ base: null }, { write: (line: string) => void lines.push(line) });
  const { promise: started, resolve } = Promise.withResolvers<void>();
  let tries = 0;
  let closed = 0;
  const component = keepTrying(
    OUTAGE,
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
  await component.close();
  expect([tries, closed]).toEqual([3, 1]);
  expect(lines.filter((line) => line.includes('agents cannot be served; retrying'))).toHaveLength(1);
  expect(lines.at(-1)).toContain('agents are served again');
});

it('closing does not wait for a component that is starting; the component is closed once it has started', async () => {
  const { promise: late, resolve: come } = Promise.withResolvers<{ close(): Promise<void> }>();
  const { promise: closed, resolve: close } = Promise.withResolvers<void>();
  const component = keepTrying(OUTAGE, () => late, silent);
  await component.close();
  come({ close: async () => close() });
  await closed;
});
