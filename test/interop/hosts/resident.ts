/**
 * The resident of a test host: a process that lives in the host's namespaces and does there what the test asks for. When the
 * test's process goes, however it ends, so does this one, and the host with it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { run } from '../../../src/linux/run.ts';
import { type PortGuest, startPortGuest } from '../../lab/port-guest.ts';
import { type Answer, type Asked, type Question, READY } from './protocol.ts';

interface Started {
  readonly child: ChildProcess;
  readonly exited: Promise<string>;
}

const processes = new Map<number, Started>();
const guests = new Map<string, PortGuest>();

async function answer(question: Question): Promise<unknown> {
  switch (question.kind) {
    case 'run':
      return runToEnd(question.command);
    case 'start':
      return start(question);
    case 'signal':
      return startedAs(question.pid).child.kill(question.signal);
    case 'is-running': {
      const { child } = startedAs(question.pid);
      return child.exitCode === null && child.signalCode === null;
    }
    case 'ended':
      return endOf(question.pid, question.timeoutMs);
    case 'guest': {
      const guest = await startPortGuest(question.ports);
      guests.set(guest.id, guest);
      return guest.id;
    }
    case 'lease':
    case 'renew':
      return guestOf(question.guest)[question.kind](question.nic, question.timeoutMs);
    case 'guest-stop':
      await guestOf(question.guest).stop();
      return guests.delete(question.guest);
  }
}

async function runToEnd(command: readonly string[]): Promise<{ exitCode: number; output: string }> {
  const okCodes = Array.from({ length: 256 }, (_, code) => code);
  const { stdout, stderr, exitCode } = await run(command as [string, ...string[]], { okCodes, timeoutMs: 60_000 });
  return { exitCode, output: stdout + stderr };
}

async function start({ command, log, env }: Extract<Question, { kind: 'start' }>): Promise<number> {
  const [file = '', ...args] = command;
  const output = openSync(log, 'a');
  try {
    const child = spawn(file, args, { env, stdio: ['ignore', output, output] });
    const exited = once(child, 'exit').then(([code, signal]) => String(code ?? signal));
    await once(child, 'spawn');
    const pid = child.pid ?? 0;
    processes.set(pid, { child, exited });
    return pid;
  } finally {
    closeSync(output);
  }
}

function startedAs(pid: number): Started {
  const started = processes.get(pid);
  if (!started) throw new Error(`no process ${pid} was started here`);
  return started;
}

async function endOf(pid: number, timeoutMs: number): Promise<string> {
  const { child, exited } = startedAs(pid);
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`${child.spawnargs.join(' ')} did not end within ${timeoutMs} ms`)),
    timeoutMs,
  );
  try {
    return await Promise.race([exited, promise]);
  } finally {
    clearTimeout(timer);
  }
}

function guestOf(id: string): PortGuest {
  const guest = guests.get(id);
  if (!guest) throw new Error(`no guest ${id} was started here`);
  return guest;
}

function reply(message: Answer | typeof READY): void {
  process.send?.(message);
}

process.on('message', (message) => {
  const { number, question } = message as Asked;
  answer(question).then(
    (result) => reply({ number, result }),
    (error: unknown) => reply({ number, error: error instanceof Error ? error.message : String(error) }),
  );
});
process.on('disconnect', () => process.exit());
reply(READY);
