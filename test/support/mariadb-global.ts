import type { TestProject } from 'vitest/node';
import { startMariadb } from './mariadb.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The private server of the test run on MariaDB; absent in the run on SQLite. */
    mariadb: { readonly socket: string; readonly port: number };
  }
}

/** Starts the MariaDB of a whole test run; the project's tests alone find it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const mariadb = await startMariadb();
  project.provide('mariadb', { socket: mariadb.socket, port: mariadb.port });
  return () => mariadb.dispose();
}
