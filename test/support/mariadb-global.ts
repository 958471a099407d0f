import { startMariadb } from './mariadb.ts';

/** Starts the MariaDB of a whole test run; test processes find it by their environment. */
export async function setup(): Promise<() => Promise<void>> {
  const mariadb = await startMariadb();
  process.env.NEUTRINO_TEST_MARIADB_SOCKET = mariadb.socket;
  process.env.NEUTRINO_TEST_MARIADB_PORT = String(mariadb.port);
  return () => mariadb.dispose();
}
