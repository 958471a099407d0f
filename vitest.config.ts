import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/setup/longest-first.ts';
import SkipReporter from './test/setup/skip-reporter.ts';

/** Tests of the rules, and hostile input to all of them: the same files run on SQLite and on MariaDB. */
const RULES = [
  ...['endpoints', 'identity', 'ipam', 'plugin', 'scheduler', 'notifier', 'store'].map(
    (room) => `test/${room}/**/*.test.ts`,
  ),
  'test/api/{client-habits,known-holes}.test.ts',
  'test/api/hostile{,-callers}.system.test.ts',
  'test/auth/projectless.test.ts',
  'test/extending/hosting-kind.test.ts',
  'test/extending/resource.test.ts',
];

/** Tests with real parts: processes, namespaces, dnsmasq, RabbitMQ, MariaDB; and tests that take many seconds. */
const SYSTEM = 'test/**/*.system.test.ts';
/** Tests with stock Neutron, which has to be installed: `npm run test:interop`. `npm test` leaves them out. */
const INTEROP = 'test/interop/**/*.interop.test.ts';

/** Real parts wait more than they compute: more test files at a time than the machine has cores. */
const SIDE_BY_SIDE = 4;

const common = {
  pool: 'forks' as const,
  maxWorkers: SIDE_BY_SIDE,
  // Real parts (namespaces, dnsmasq) are slow to come up on a loaded two-core machine.
  testTimeout: 60_000,
  hookTimeout: 120_000,
};

export default defineConfig({
  test: {
    reporters: ['default', new SkipReporter()],
    sequence: { sequencer: LongestFirst },
    globalSetup: ['test/setup/services.ts'],
    projects: [
      {
        test: {
          ...common,
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [SYSTEM, INTEROP],
          // Starts no processes, which this file checks; needs no worker of its own per file.
          setupFiles: ['test/setup/unit-guard.ts'],
          isolate: false,
        },
      },
      { test: { ...common, name: 'system', include: [SYSTEM] } },
      {
        test: { ...common, name: 'mariadb', include: RULES, provide: { database: 'mariadb' }, isolate: false },
      },
      {
        test: {
          ...common,
          name: 'interop',
          include: [INTEROP],
          // One cloud at a time: stock programs want half a gigabyte each.
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 600_000,
        },
      },
      // Unit and system tests by one name, for `vitest run --project all FILE`; no run of the whole uses it.
      {
        test: {
          ...common,
          name: 'all',
          include: ['test/**/*.test.ts'],
          exclude: [INTEROP, 'test/setup/unit-guard.test.ts'],
        },
      },
    ],
  },
});
