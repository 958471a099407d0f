import { existsSync } from 'node:fs';
import { copyFile, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { packageDependencies, unpackPackages, withUpdatedLists } from '../../../src/lab/debian.ts';
import { cpioArchive } from '../../../src/lab/qemu/cpio.ts';
import { collectModules } from '../../../src/lab/qemu/modules.ts';
import { run } from '../../../src/linux/run.ts';

/** cloud-init, and what it needs that Debian's Neutron does not bring. */
const PACKAGES = ['cloud-init', 'python3-configobj', 'python3-serial', 'ifupdown'];
const HERE = import.meta.dirname;
const silent = () => undefined;

/** Runs cloud-init in a root of its own. */
const GUEST_SCRIPT = join(HERE, 'guest.sh');

/** Downloads the packages into a folder, without installing them, and lays it out for `guest.sh`. Throws CommandFailed. */
export async function prepareUserland(folder: string): Promise<void> {
  const packages = join(folder, 'packages');
  await mkdir(join(folder, 'root'), { recursive: true });
  await withUpdatedLists(silent, () => unpackPackages(PACKAGES, packages));
  // As in Debian since 12: a folder in this layer would hide the link to /usr.
  for (const name of ['lib', 'sbin', 'bin'].filter((one) => existsSync(join(packages, one)))) {
    await cp(join(packages, name), join(packages, 'usr', name), { recursive: true, verbatimSymlinks: true });
    await rm(join(packages, name), { recursive: true });
  }
  for (const name of ['cloud.cfg', 'proof.py']) await copyFile(join(HERE, name), join(folder, name));
}

/** Downloads Debian's general kernel, which can have its root on the host (9p), and makes an initramfs that boots from there. */
export async function prepareKernel(folder: string): Promise<void> {
  const unpacked = join(folder, 'kernel');
  await mkdir(unpacked);
  await withUpdatedLists(silent, async () => {
    const image = (await packageDependencies('linux-image-amd64')).find((one) => /^linux-image-\d/.test(one));
    await unpackPackages([image ?? 'linux-image-amd64'], unpacked);
  });
  const [release = ''] = await readdir(join(unpacked, 'lib/modules'));
  const wanted = ['virtio_pci', 'virtio_net', '9pnet_virtio', '9p'];
  const modules = await collectModules(join(unpacked, 'lib/modules', release), wanted);
  const files = modules.map(
    ({ data }, i) => ({ kind: 'file', path: `modules/${String(i).padStart(2, '0')}.ko`, data }) as const,
  );
  const init = `#!/bin/busybox sh
bb=/bin/busybox
$bb mount -t devtmpfs dev /dev
for module in /modules/*.ko; do $bb insmod "$module"; done
$bb mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,cache=loose root /root
$bb mount --move /dev /root/dev
exec $bb switch_root /root /bin/sh /stages.sh booted /
`;
  const archive = cpioArchive([
    ...['bin', 'dev', 'modules', 'root'].map((path) => ({ kind: 'folder', path }) as const),
    { kind: 'device', path: 'dev/console', major: 5, minor: 1 },
    { kind: 'file', path: 'bin/busybox', data: await readFile('/bin/busybox'), executable: true },
    { kind: 'file', path: 'init', data: init, executable: true },
    ...files,
  ]);
  await writeFile(join(folder, 'initramfs.gz'), gzipSync(archive, { level: 1 }));
  await copyFile(join(unpacked, 'boot', `vmlinuz-${release}`), join(folder, 'vmlinuz'));
}

/** What cloud-init has made of a machine (`proof.py`). */
interface Proof {
  readonly datasource: string;
  readonly errors: readonly string[];
  readonly instance: string;
  readonly hostname: string;
  readonly keys: string;
  readonly written: string;
  readonly ran: string;
  readonly addresses: Readonly<Record<string, readonly string[]>>;
  readonly routes: readonly string[];
}

/** Returns the proof in the output of a guest. Throws an Error with all of the output if there is none. */
function proofIn(output: string): Proof {
  const [, json] = /PROOF (\{.*\})/.exec(output) ?? [];
  if (json === undefined) throw new Error(`cloud-init has not run to its end:\n${output.slice(-20_000)}`);
  return JSON.parse(json) as Proof;
}

/** Runs cloud-init in a namespace, as in a container whose first process says that it is a machine of Nova. */
export async function runInNamespace(folder: string, namespace: string): Promise<Proof> {
  const own = ['unshare', '--mount', '--uts', '--pid', '--fork', 'env', 'product_name=OpenStack Nova'];
  const script = ['sh', GUEST_SCRIPT, 'namespace', folder];
  const { stdout } = await run(['nsenter', `--net=/run/netns/${namespace}`, ...own, ...script], { timeoutMs: 120_000 });
  return proofIn(stdout);
}

/** Boots a virtual machine whose root is on this host, and runs cloud-init there. */
export async function runInMachine(
  folder: string,
  nics: readonly { readonly device: string; readonly mac: string }[],
): Promise<Proof> {
  const root = `path=${folder}/root/root,mount_tag=root,security_model=passthrough,multidevs=remap`;
  const qemu = [
    ...['qemu-system-x86_64', '-nodefaults', '-no-user-config', '-nographic', '-no-reboot', '-machine', 'q35'],
    ...['-accel', 'tcg', '-m', '512', '-smbios', 'type=1,product=OpenStack Nova'],
    // Not to a pipe: QEMU drops what the reader does not take at once.
    ...['-serial', `file:${join(folder, 'console.log')}`],
    ...['-kernel', join(folder, 'vmlinuz'), '-initrd', join(folder, 'initramfs.gz')],
    ...['-append', 'console=ttyS0 quiet panic=-1 net.ifnames=0', '-virtfs', `local,${root}`],
    ...nics.flatMap(({ device, mac }, i) => [
      ...['-netdev', `tap,id=nic${i},ifname=${device},script=no,downscript=no`],
      ...['-device', `virtio-net-pci,netdev=nic${i},mac=${mac},romfile=`],
    ]),
  ];
  await run(['unshare', '--mount', 'sh', GUEST_SCRIPT, 'machine', folder, ...qemu], { timeoutMs: 240_000 });
  return proofIn(await readFile(join(folder, 'console.log'), 'latin1'));
}
