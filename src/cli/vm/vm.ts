import { bootMachine } from '../../lab/boot.ts';
import { type InstanceStore, isUuid, type StoredInstance } from '../../lab/instance.ts';
import { listMachines } from '../../lab/list.ts';
import { removeMachine } from '../../lab/remove.ts';
import { bootJson, bootTable, exchangeLine, machineList } from '../../lab/show.ts';
import { CliFailure, UsageFailure } from '../process/failure.ts';
import { abortOnSignal, labOf, seconds } from './lab.ts';
import { metadataOf } from './metadata-files.ts';
import type { BootOptions, DeleteOptions, ListOptions } from './options.ts';

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** `vm boot`: sets exit code 1 if a NIC does not get the address of its port. */
export async function runBoot(name: string, options: BootOptions): Promise<void> {
  const { network: networks, fixedIp: fixedIps = [], qemu, json } = options;
  const say = json ? (line: string) => void process.stderr.write(`${line}\n`) : print;
  if (fixedIps.length > networks.length) {
    throw new UsageFailure(`${fixedIps.length} times --fixed-ip, but only ${networks.length} times --network`);
  }
  const metadata = metadataOf(options);
  requireRoot();
  const limits = {
    pluggedMs: seconds('--vif-plugging-timeout', options.vifPluggingTimeout ?? '60'),
    leaseMs: seconds('--lease-timeout', options.leaseTimeout ?? (qemu ? '180' : '30')),
    signal: abortOnSignal(),
  };
  const lab = await labOf(options, say);
  const nics = networks.map((one, i) => {
    const fixedIp = fixedIps[i];
    return { network: one, ...(fixedIp === undefined || fixedIp === 'any' ? {} : { fixedIp }) };
  });
  const request = { name, kind: qemu ? 'qemu' : 'namespace', nics, metadata } as const;
  const report = await bootMachine(request, lab, limits, (message) => say(exchangeLine(message)));
  if (report.exchange.length === 0 && report.nics.some(({ lease }) => lease)) {
    say(
      '(the log of the DHCP server does not show the exchange: does the DHCP agent of this network run on another host?)',
    );
  }
  if (json) printJson(bootJson(report));
  else {
    print('');
    print(bootTable(report));
  }
  // Not process.exit, because standard output may be a pipe that still has data to write.
  if (!report.right) process.exitCode = 1;
}

/** `vm list`. */
export async function runList(options: ListOptions): Promise<void> {
  const { store } = await labOf(options, print);
  const machines = await listMachines(store);
  if (options.json) printJson(machines);
  else print(machineList(machines));
}

/** `vm delete`: deletes what it can. Throws CliFailure when a machine does not exist or cannot be deleted. */
export async function runDelete(names: readonly string[], options: DeleteOptions): Promise<void> {
  if ((options.all === true) === names.length > 0) throw new UsageFailure('name the machines to delete, or use --all');
  requireRoot();
  const lab = await labOf(options, print);
  const failures: string[] = [];
  const found = options.all ? await lab.store.list() : await machinesNamed(names, lab.store, failures);
  for (const stored of found) {
    const who = [stored.instance?.name, stored.id].filter(Boolean).join(' ');
    try {
      await removeMachine(stored, lab);
      print(`deleted ${who}`);
    } catch (error) {
      // The others are still deleted.
      failures.push(`${who} could not be deleted: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (failures.length > 0) throw new CliFailure(failures.join('; '));
  if (options.all && found.length === 0) print('no machines');
}

/** Returns the machines with these names or UUIDs; adds a line to `failures` for each that is unknown or ambiguous. */
async function machinesNamed(
  names: readonly string[],
  store: InstanceStore,
  failures: string[],
): Promise<readonly StoredInstance[]> {
  const machines: StoredInstance[] = [];
  for (const name of names) {
    const found = await store.find(name);
    const ids = found.map(({ id }) => id).join(', ');
    if (found.length > 1) failures.push(`${found.length} machines are named ${name}; use the UUID: ${ids}`);
    else if (found.length === 1) machines.push(...found);
    // Without the folder, ports may be left, which are found by the UUID.
    else if (isUuid(name)) machines.push({ id: name, folder: store.folder(name) });
    else failures.push(`no machine is named ${name} (bin/neutrino vm list prints them)`);
  }
  return machines;
}

function requireRoot(): void {
  if (process.getuid?.() !== 0)
    throw new CliFailure('machines need root, because namespaces and devices are created and removed');
}
