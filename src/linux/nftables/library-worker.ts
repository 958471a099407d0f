import { closeSync, openSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { CLONE_NEWNET } from '../in-namespace.ts';
import { namespacePath } from '../ip.ts';
import { libc, libnftables } from '../native.ts';

/** A script for the library. */
export interface Asked {
  readonly script: string;
}

/** What it printed; `failure`: why it did not run. */
export interface Told {
  readonly output: string;
  readonly failure?: string;
}

const { namespace } = workerData as { readonly namespace: string | undefined };
if (namespace !== undefined) {
  const there = openSync(namespacePath(namespace), 'r');
  libc().setns(there, CLONE_NEWNET);
  closeSync(there);
}
const run = libnftables();
const told = (message: Told) => parentPort?.postMessage(message);
parentPort?.on('message', ({ script }: Asked) => told(run(script)));
told({ output: '' });
