import { defineConfig } from 'vitest/config';

/** Tests of rules, and hostile input to all of them: the same ones run on SQLite and on MariaDB. */
const RULES = [
  ...['ipam', 'plugin', 'scheduler', 'notifier'].map((room) => `test/${room}/**/*.test.ts`),
  'test/api/hostile.test.ts',
];

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
      { test: { ...common, name: 'all', include: ['test/**/*.test.ts'] } },
      {
        test: { ...common, name: 'mariadb', include: RULES, globalSetup: ['test/support/mariadb-global.ts'] },
      },
    ],
  },
});
