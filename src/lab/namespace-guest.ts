import { type FileHandle, mkdir, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ipBatch } from '../linux/ip.ts';
import { addVethCommand, deleteLink } from '../linux/links.ts';
import { deleteNamespace, ensureNamespace, namespaceExists, namespacePath } from '../linux/namespaces.ts';
import { showProcess, signalProcess, waitForEnd } from '../linux/processes.ts';
import { run } from '../linux/run.ts';
import { WaitTimeout, waitFor } from '../time/wait.ts';
import { findBusybox } from './busybox.ts';
import { clientCommand, clientScript } from './client.ts';
import { type Guest, type GuestSpec, type NicLease, NoLease } from './contract.ts';
import { lastLine, startDetached } from './detached.ts';
import { LabFailure } from './failure.ts';
import { parseEnvironment, parseLease } from './lease.ts';

/** Returns the name of a guest's namespace, which contains the first eight digits of its UUID. */
export function guestNamespace(id: string): string {
  return `vm-${id.slice(0, 8)}`;
}

/** Returns the path of the guest's resolv.conf, as `ip netns exec` expects it (ip-netns(8)). */
function etcFolder(namespace: string): string {
  return `/etc/netns/${namespace}`;
}

/** Returns all processes in the namespace. */
async function processesIn(namespace: string): Promise<readonly number[]> {
  if (!(await namespaceExists(namespace))) return [];
  const { stdout } = await run(['ip', 'netns', 'pids', namespace]);
  return stdout.split('\n').filter(Boolean).map(Number);
}

/** Returns the text of a file and its modification time (Unix time in nanoseconds); undefined if there is none. */
async function readIfThere(path: string): Promise<{ readonly text: string; readonly writtenNs: bigint } | undefined> {
  let file: FileHandle;
  try {
    file = await open(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return { text: await file.readFile('utf8'), writtenNs: (await file.stat({ bigint: true })).mtimeNs };
  } finally {
    await file.close();
  }
}

interface KeptLease {
  readonly lease: NicLease;
  /** Changes with each event, even if nothing else does. */
  readonly stamp: bigint;
}

/**
 * A guest that is a network namespace with a real DHCP client (busybox udhcpc) on each NIC. The device on the host is one
 * end of a veth pair, the NIC the other. The clients outlive this process; `stop` finds them by the namespace.
 */
export function namespaceGuest(spec: GuestSpec): Guest {
  const namespace = guestNamespace(spec.id);
  const script = join(spec.folder, 'dhcp-client.sh');
  const pidFile = (nic: string) => join(spec.folder, `${nic}.pid`);
  const logFile = (nic: string) => join(spec.folder, `${nic}.log`);
  const resolv = join(etcFolder(namespace), 'resolv.conf');

  async function plug(): Promise<void> {
    if (!(await ensureNamespace(namespace))) throw new LabFailure(`namespace ${namespace} exists already`);
    await ipBatch(
      spec.nics.flatMap(({ name, mac, device }) => [
        addVethCommand({ name: device }, { name, mac, namespace }),
        ['link', 'set', 'dev', device, 'up'],
      ]),
    );
    await ipBatch(
      spec.nics.map(({ name }) => ['link', 'set', 'dev', name, 'up']),
      { namespace },
    );
  }

  async function start(): Promise<void> {
    const busybox = await findBusybox();
    await writeFile(script, clientScript(busybox), { mode: 0o755 });
    await mkdir(etcFolder(namespace), { recursive: true });
    await writeFile(resolv, '');
    const { requestOptions = [], clientArguments = [] } = spec;
    for (const { name: nic } of spec.nics) {
      const client = clientCommand({ nic, script, pidFile: pidFile(nic), requestOptions, clientArguments });
      await startDetached(['nsenter', `--net=${namespacePath(namespace)}`, busybox, ...client], {
        log: logFile(nic),
        folder: spec.folder,
        env: {
          NEUTRINO_FOLDER: spec.folder,
          NEUTRINO_RESOLV: resolv,
          NEUTRINO_CONSOLE: '',
          NEUTRINO_SET_HOSTNAME: 'no',
          NEUTRINO_STARTED: String(Date.now()),
        },
      });
    }
  }

  async function kept(nic: string): Promise<KeptLease | undefined> {
    const found = await readIfThere(join(spec.folder, `${nic}.lease`));
    if (!found) return undefined;
    const { text, writtenNs } = found;
    const started = Number(parseEnvironment(text).NEUTRINO_STARTED ?? '0');
    const lease = parseLease(text, Math.max(0, Math.round(Number(writtenNs / 1_000n) / 1_000 - started)));
    return lease && { lease, stamp: writtenNs };
  }

  async function waitForLease(
    nic: string,
    timeoutMs: number,
    except?: bigint,
    signal?: AbortSignal,
  ): Promise<NicLease> {
    const fresh = async () => {
      const found = await kept(nic);
      return found && found.stamp !== except ? found.lease : undefined;
    };
    try {
      return await waitFor(`the lease of ${nic}`, fresh, { timeoutMs, intervalMs: 20, signal });
    } catch (error) {
      if (!(error instanceof WaitTimeout)) throw error;
      throw new NoLease(spec.name, nic, timeoutMs, lastLine((await readIfThere(logFile(nic)))?.text ?? ''));
    }
  }

  /** Returns the pid of a NIC's DHCP client. The pid may have been reused: it counts only with our script among its arguments. */
  async function clientOf(nic: string): Promise<number | undefined> {
    const pid = Number((await readIfThere(pidFile(nic)))?.text);
    const client = pid > 0 ? await showProcess(pid) : undefined;
    return client?.command.includes(script) ? pid : undefined;
  }

  async function running(): Promise<boolean | undefined> {
    if (!(await namespaceExists(namespace))) return false;
    if (process.geteuid?.() === 0) return (await processesIn(namespace)).length > 0;
    // Only root can list the processes of a namespace, but the pid file names the DHCP client.
    for (const { name } of spec.nics) if ((await clientOf(name)) !== undefined) return true;
    return undefined;
  }

  async function renew(nic: string, timeoutMs: number): Promise<NicLease> {
    const before = await kept(nic);
    const pid = await clientOf(nic);
    if (pid === undefined) throw new LabFailure(`${spec.name}: no DHCP client runs on ${nic}`);
    const asked = performance.now();
    signalProcess(pid, 'SIGUSR1');
    const lease = await waitForLease(nic, timeoutMs, before?.stamp);
    return { ...lease, ms: Math.round(performance.now() - asked) };
  }

  async function stop(): Promise<void> {
    for (const pid of await processesIn(namespace)) {
      signalProcess(pid, 'SIGKILL');
      if (!(await waitForEnd(pid, 5_000))) throw new LabFailure(`process ${pid} in ${namespace} does not end`);
    }
    // Before the namespace, which the kernel removes asynchronously, with its devices.
    for (const { device } of spec.nics) await deleteLink(device);
    await deleteNamespace(namespace);
    await rm(etcFolder(namespace), { recursive: true, force: true });
  }

  return {
    plug,
    start,
    running,
    current: async (nic) => (await kept(nic))?.lease,
    lease: (nic, timeoutMs, signal) => waitForLease(nic, timeoutMs, undefined, signal),
    renew,
    stop,
  };
}
