/**
 * The resident of a test host: a process in the host's namespaces that executes the requests of the test. It ends with the
 * test's process, however that ends, and the host ends with it.
 */
import { run } from '../../../src/linux/run.ts';
import { type ProcessSpec, type RunningProcess, startProcess } from '../process.ts';
import { type PortGuest, startPortGuest } from './port-guest.ts';
import { type Answer, type Asked, type Question, READY } from './protocol.ts';

const processes = new Map<number, RunningProcess>();
const guests = new Map<string, PortGuest>();

async function answer(question: Question): Promise<unknown> {
  switch (question.kind) {
    case 'run':
      return runToEnd(question.command);
    case 'start':
      return start(question.spec);
    case 'signal':
      return startedAs(question.pid).signal(question.signal);
    case 'is-running':
      return startedAs(question.pid).isRunning();
    case 'ended':
      return startedAs(question.pid).ended(question.timeoutMs);
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

async function start(spec: ProcessSpec): Promise<number> {
  const started = await startProcess(spec);
  processes.set(started.pid, started);
  return started.pid;
}

function startedAs(pid: number): RunningProcess {
  const started = processes.get(pid);
  if (!started) throw new Error(`no process ${pid} was started here`);
  return started;
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
