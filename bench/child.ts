import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A child process of the benchmark, which answers one request at a time. */
export interface Child {
  readonly pid: number;
  /** Sends a request and waits for the response. Throws the child's error, and if it exits, and after `timeoutMs`. */
  ask<A>(question: object, timeoutMs?: number): Promise<A>;
  stop(): Promise<void>;
}

const ANSWER_MS = 120_000;
const END_MS = 10_000;

/**
 * Starts a module of the benchmark in a child process, so that its work does not burden the process that measures.
 * `prefix`: a command that runs it (`ip netns exec NAME`).
 */
export function startChild(module: URL, prefix: readonly string[] = []): Child {
  const [command = '', ...args] = [
    ...prefix,
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    fileURLToPath(module),
  ];
  const child: ChildProcess = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const name = fileURLToPath(module);
  return {
    pid: child.pid ?? 0,
    ask: <A>(question: object, timeoutMs = ANSWER_MS) =>
      new Promise<A>((resolve, reject) => {
        const done = (act: () => void) => {
          clearTimeout(timer);
          child.off('message', onMessage).off('exit', onExit).off('error', reject);
          act();
        };
        const onMessage = (message: unknown) => {
          const { error, answer } = message as { error?: string; answer?: A };
          done(() => (error === undefined ? resolve(answer as A) : reject(new Error(error))));
        };
        const onExit = (code: number | null) =>
          done(() => reject(new Error(`${name} exited (${code}) without a response`)));
        const timer = setTimeout(
          () => done(() => reject(new Error(`${name} did not respond within ${timeoutMs} ms`))),
          timeoutMs,
        );
        child.on('message', onMessage).on('exit', onExit).on('error', reject);
        child.send(question);
      }),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.disconnect();
      const timer = setTimeout(() => child.kill('SIGKILL'), END_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** Runs in the child: answers the requests of its parent, and exits when the parent does. */
export function answerParent(answer: (question: never) => Promise<unknown> | unknown): void {
  process.on('message', async (question) => {
    try {
      process.send?.({ answer: await answer(question as never) });
    } catch (error) {
      process.send?.({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  });
  process.on('disconnect', () => process.exit());
}
