import { closeSync, openSync } from 'node:fs';
import { namespacePath } from './ip.ts';
import { libc } from './native.ts';

/** sched.h */
export const CLONE_NEWNET = 0x40000000;

/**
 * Runs a synchronous function with this thread in a named network namespace, and returns its result. What it opens stays in that
 * namespace. It MUST NOT start anything asynchronous: other threads are in the namespace of the host. A socket that is opened
 * keeps the namespace and its devices alive even when the namespace is deleted: close it first. Throws if there is no such
 * namespace.
 */
export function inNamespace<T>(name: string, run: () => T extends PromiseLike<unknown> ? never : T): T {
  const { setns } = libc();
  const home = openSync('/proc/thread-self/ns/net', 'r');
  try {
    const there = openSync(namespacePath(name), 'r');
    try {
      setns(there, CLONE_NEWNET);
    } finally {
      closeSync(there);
    }
    try {
      return run();
    } finally {
      comeBack(() => setns(home, CLONE_NEWNET));
    }
  } finally {
    closeSync(home);
  }
}

/** A thread in the wrong namespace would do all its further work there. */
function comeBack(setns: () => unknown): void {
  try {
    setns();
  } catch (error) {
    process.stderr.write(`this thread cannot leave a network namespace: ${error}\n`);
    process.abort();
  }
}
