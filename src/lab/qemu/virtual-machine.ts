import { open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { ipBatch } from '../../linux/ip.ts';
import { deleteLink } from '../../linux/links.ts';
import { showProcess, signalProcess, waitForEnd } from '../../linux/processes.ts';
import { WaitTimeout, waitFor } from '../../time/wait.ts';
import { type Guest, type GuestNic, type GuestSpec, type NicLease, NoLease } from '../contract.ts';
import { lastLine, startDetached } from '../detached.ts';
import { LabFailure } from '../failure.ts';
import { MACHINE_FILES, qemuCommand } from './command.ts';
import { type ConsoleLease, consoleFailures, consoleLeases, consoleTail } from './console.ts';
import { initramfs } from './initramfs.ts';
import { cachedBootParts } from './kernel.ts';

/** How much of a console's log is read: machines print little, but a broken one may repeat itself forever. */
const CONSOLE_BYTES = 1_048_576;

/** Returns the QEMU processes of this machine, which have its UUID on their command line. */
async function machineProcesses(id: string): Promise<readonly number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const command = (await showProcess(pid))?.command ?? [];
      const uuid = command[command.indexOf('-uuid') + 1];
      return command[0]?.includes('qemu-system') && uuid === id ? pid : undefined;
    }),
  );
  return found.filter((pid) => pid !== undefined);
}

async function readTail(path: string): Promise<string> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!file) return '';
  try {
    const { size } = await file.stat();
    const length = Math.min(size, CONSOLE_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString('latin1', 0, bytesRead);
  } finally {
    await file.close();
  }
}

/**
 * A guest that is a real virtual machine: Debian's kernel under QEMU's software emulation, with a busybox that runs a DHCP
 * client on each NIC and reports leases on the serial console, which is logged to the folder. The device on the host is a tap.
 * QEMU MUST be installed, and the kernel MUST be in `cacheFolder` (`bootParts`).
 */
export function virtualMachine(spec: GuestSpec, cacheFolder: string): Guest {
  const file = (name: string) => join(spec.folder, name);
  const consoleText = () => readTail(file(MACHINE_FILES.console));

  function nicNamed(name: string): GuestNic {
    const nic = spec.nics.find((one) => one.name === name);
    if (!nic) throw new LabFailure(`${spec.name} has no NIC ${name}`);
    return nic;
  }

  async function plug(): Promise<void> {
    await ipBatch(
      spec.nics.flatMap(({ device }) => [
        ['tuntap', 'add', 'dev', device, 'mode', 'tap'],
        ['link', 'set', 'dev', device, 'up'],
      ]),
    );
  }

  async function start(): Promise<void> {
    const parts = await cachedBootParts(cacheFolder);
    if (!parts) throw new LabFailure(`${spec.name}: no kernel in ${cacheFolder}`);
    const { kernelPath, busyboxPath, modules } = parts;
    const { requestOptions = [], clientArguments = [] } = spec;
    const busybox = await readFile(busyboxPath);
    await writeFile(file(MACHINE_FILES.initramfs), initramfs({ busybox, modules, requestOptions, clientArguments }));
    await startDetached(qemuCommand(spec, kernelPath), { log: file('qemu.log'), folder: spec.folder });
  }

  async function latest(mac: string): Promise<ConsoleLease | undefined> {
    return consoleLeases(await consoleText()).findLast((report) => report.mac === mac.toLowerCase());
  }

  /** Returns the error message for a machine that has ended by itself. */
  async function obituary(): Promise<string> {
    const qemu = lastLine(await readTail(file('qemu.log')));
    return `${spec.name}: the machine ended by itself; ${[qemu, consoleTail(await consoleText(), 5)].filter(Boolean).join('\n')}`;
  }

  async function waitForLease(nic: string, timeoutMs: number, after: number, signal?: AbortSignal): Promise<NicLease> {
    const { mac } = nicNamed(nic);
    const fresh = async () => {
      const report = await latest(mac);
      if (report && report.at > after) return report.lease;
      const [failure] = consoleFailures(await consoleText());
      if (failure !== undefined) throw new LabFailure(`${spec.name}: ${failure} (see ${file(MACHINE_FILES.console)})`);
      if ((await machineProcesses(spec.id)).length === 0) throw new LabFailure(await obituary());
      return undefined;
    };
    try {
      return await waitFor(`the lease of ${nic}`, fresh, { timeoutMs, intervalMs: 100, signal });
    } catch (error) {
      if (!(error instanceof WaitTimeout)) throw error;
      throw new NoLease(spec.name, nic, timeoutMs, lastLine(consoleTail(await consoleText(), 1)));
    }
  }

  async function renew(nic: string, timeoutMs: number): Promise<NicLease> {
    const { mac } = nicNamed(nic);
    const before = await latest(mac);
    const [pid] = await machineProcesses(spec.id);
    if (pid === undefined) throw new LabFailure(`${spec.name} does not run`);
    const asked = performance.now();
    // Through /proc, because the path of a socket is limited to 107 bytes, and the folder's may be longer.
    await sendLine(`/proc/${pid}/cwd/${MACHINE_FILES.socket}`, `renew ${mac.toLowerCase()}`, timeoutMs);
    const lease = await waitForLease(nic, timeoutMs, before?.at ?? -1);
    return { ...lease, ms: Math.round(performance.now() - asked) };
  }

  async function stop(): Promise<void> {
    for (const pid of await machineProcesses(spec.id)) {
      signalProcess(pid, 'SIGKILL');
      if (!(await waitForEnd(pid, 5_000))) throw new LabFailure(`process ${pid} of ${spec.name} does not end`);
    }
    for (const { device } of spec.nics) await deleteLink(device);
    await rm(file(MACHINE_FILES.socket), { force: true });
  }

  return {
    plug,
    start,
    running: async () => (await machineProcesses(spec.id)).length > 0,
    current: async (nic) => (await latest(nicNamed(nic).mac))?.lease,
    lease: (nic, timeoutMs, signal) => waitForLease(nic, timeoutMs, -1, signal),
    renew,
    stop,
  };
}

function sendLine(socketPath: string, line: string, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    socket.setTimeout(timeoutMs, () =>
      socket.destroy(new Error(`${socketPath}: write timed out after ${timeoutMs} ms`)),
    );
    socket.on('error', reject);
    socket.on('data', () => undefined);
    socket.end(`${line}\n`, resolve);
  });
}
