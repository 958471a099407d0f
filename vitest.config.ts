import { defineConfig } from 'vitest/config';

/** Tests of rules, and hostile input to all of them: the same ones run on SQLite and on MariaDB. */
const RULES = [
  ...['ipam', 'plugin', 'scheduler', 'notifier'].map((room) => `test/${room}/**/*.test.ts`),
  'test/api/hostile.test.ts',
];

/** Tests with stock Neutron, which has to be installed: `npm run test:interop`. `npm test` leaves them out. */
const INTEROP = 'test/interop/**/*.test.ts';

const common = {
  pool: 'forks' as const,
  // Real parts (namespaces, dnsmasq) are slow to come up on a loaded two-core machine.
  testTimeout: 60_000,
  hookTimeout: 120_000,
};

export default defineConfig({
  test: {
    reporters: ['default'],
    projects: [
      { test: { ...common, name: 'all', include: ['test/**/*.test.ts'], exclude: [INTEROP] } },
      {
        test: { ...common, name: 'mariadb', include: RULES, globalSetup: ['test/support/mariadb-global.ts'] },
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
    ],
  },
});
