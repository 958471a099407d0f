import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { NicLease } from '../../../src/lab/contract.ts';
import type { RunningProcess } from '../process.ts';
import type { Host } from '../program.ts';
import { type Answer, type Asked, type Question, READY } from './protocol.ts';
import type { Underlay } from './underlay.ts';

const RESIDENT = join(import.meta.dirname, 'resident.ts');
const START_MS = 30_000;
const ANSWER_MS = 120_000;

/**
 * Sets up the namespaces of a host: its own `/run/netns`, so that two agents can both have `qdhcp-<network>`; its own /sys,
 * which shows the devices of this network namespace; its own process ids, so that everything on it ends with it. The
 * shell remains as process 1 and reaps orphaned processes.
 */
const BOOT = `
set -e
mkdir -p /run/netns
mount -t tmpfs -o mode=755 neutrino-host /run/netns
mount -t sysfs neutrino-host /sys
ip link set dev lo up
"$@" &
wait $!
`;

/** A machine with a DHCP client on each NIC. */
export interface HostGuest {
  /** Waits for the lease of a NIC (`eth0`). Throws Error `... no DHCP lease ...`. */
  lease(nic: string, timeoutMs: number): Promise<NicLease>;
  renew(nic: string, timeoutMs: number): Promise<NicLease>;
  stop(): Promise<void>;
}

/** A host: network, mount and process namespaces, joined to others by the underlay on its `eth0`. */
export interface TestHost extends Host {
  /** Its address on the underlay. */
  readonly address: string;
  /** Runs a command to its end and returns its output. Throws if it fails. */
  run(...command: readonly [string, ...string[]]): Promise<string>;
  /** Like `run`, but also returns a failure. */
  tryRun(...command: readonly [string, ...string[]]): Promise<{ readonly exitCode: number; readonly output: string }>;
  /** Boots a machine on this host with a NIC per port, which the host's L2 agent plugs. */
  guest(...ports: readonly { readonly id: string; readonly mac_address: string }[]): Promise<HostGuest>;
  /** Stops everything on it. */
  dispose(): Promise<void>;
}

/** Starts a host on an underlay. Needs root. */
export async function startTestHost(name: string, underlay: Underlay): Promise<TestHost> {
  const child = spawn(
    'unshare',
    [
      ...['--net', '--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child', '--mount-proc'],
      ...['sh', '-c', BOOT, 'boot', process.execPath, '--disable-warning=ExperimentalWarning', RESIDENT],
    ],
    { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
  );
  const resident = new Resident(name, child);
  try {
    await resident.ready;
    const address = await underlay.plug(await firstChild(child));
    const host = makeHost(name, address.slice(0, address.indexOf('/')), resident);
    await host.run('ip', 'addr', 'add', address, 'dev', 'eth0');
    await host.run('ip', 'link', 'set', 'dev', 'eth0', 'up');
    await host.run('ip', 'route', 'add', 'default', 'via', underlay.address);
    return host;
  } catch (error) {
    await resident.end();
    throw error;
  }
}

/** Returns the pid of the host's process 1 outside of the host: the child of `unshare --fork`. */
async function firstChild({ pid }: ChildProcess): Promise<number> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  const first = Number(children.trim().split(' ')[0]);
  if (!(first > 0)) throw new Error(`process ${pid} (unshare) has no child`);
  return first;
}

function makeHost(name: string, address: string, resident: Resident): TestHost {
  const tryRun: TestHost['tryRun'] = (...command) =>
    resident.ask({ kind: 'run', command }) as ReturnType<TestHost['tryRun']>;
  return {
    name,
    address,
    tryRun,
    async run(...command) {
      const { exitCode, output } = await tryRun(...command);
      if (exitCode !== 0) throw new Error(`${command.join(' ')} on ${name}: exit code ${exitCode}: ${output}`);
      return output;
    },
    start: async (spec) => hostProcess(resident, (await resident.ask({ kind: 'start', spec })) as number),
    async guest(...ports) {
      const nics = ports.map(({ id, mac_address }) => ({ id, mac_address }));
      const guest = (await resident.ask({ kind: 'guest', ports: nics })) as string;
      const lease = (kind: 'lease' | 'renew') => async (nic: string, timeoutMs: number) =>
        (await resident.ask({ kind, guest, nic, timeoutMs }, timeoutMs + 10_000)) as NicLease;
      return {
        lease: lease('lease'),
        renew: lease('renew'),
        stop: async () => void (await resident.ask({ kind: 'guest-stop', guest })),
      };
    },
    dispose: () => resident.end(),
  };
}

function hostProcess(resident: Resident, pid: number): RunningProcess {
  return {
    pid,
    signal: async (signal) => void (await resident.ask({ kind: 'signal', pid, signal })),
    isRunning: async () => (await resident.ask({ kind: 'is-running', pid })) as boolean,
    ended: async (timeoutMs) => (await resident.ask({ kind: 'ended', pid, timeoutMs }, timeoutMs + 5_000)) as string,
  };
}

/** The connection to the resident of the host. */
class Resident {
  readonly ready: Promise<void>;
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #next = 1;

  constructor(name: string, child: ChildProcess) {
    this.#name = name;
    this.#child = child;
    this.#exited = once(child, 'exit');
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.ready = promise;
    const timer = setTimeout(() => reject(new Error(`host ${name} is not up within ${START_MS} ms`)), START_MS);
    child.on('message', (message) => {
      if (message === READY) {
        clearTimeout(timer);
        resolve();
        return;
      }
      const answer = message as Answer;
      this.#waiting.get(answer.number)?.(answer);
    });
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      const error = `host ${name} ended (${code ?? signal})`;
      reject(new Error(error));
      for (const [number, settle] of this.#waiting) settle({ number, error });
    });
  }

  async ask(question: Question, timeoutMs = ANSWER_MS): Promise<unknown> {
    const number = this.#next++;
    const { promise, resolve } = Promise.withResolvers<Answer>();
    this.#waiting.set(number, resolve);
    const error = `host ${this.#name} did not respond to ${question.kind} within ${timeoutMs} ms`;
    const timer = setTimeout(() => resolve({ number, error }), timeoutMs);
    try {
      this.#child.send({ number, question } satisfies Asked);
      const answer = await promise;
      if ('error' in answer) throw new Error(answer.error);
      return answer.result;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(number);
    }
  }

  async end(): Promise<void> {
    // unshare kills its child (--kill-child), and all processes of the host end with their process 1.
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL');
    await this.#exited;
  }
}
