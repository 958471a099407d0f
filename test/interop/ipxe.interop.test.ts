import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensureProgram } from '../../src/lab/debian.ts';
import { run } from '../../src/linux/run.ts';
import { waitFor } from '../../src/time/wait.ts';
import { isRoot, macOf, World } from '../agents/dhcp/drivers/dnsmasq/world.ts';

const QEMU = 'qemu-system-x86_64';
/** The boot ROM that QEMU gives a virtio NIC: iPXE. */
const ROM = '/usr/lib/ipxe/qemu/efi-virtio.rom';

/** In software emulation, the firmware and iPXE take 18 s. */
const BOOT_MS = 50_000;

describe.skipIf(!isRoot)('a machine that boots over the network with iPXE (needs root)', () => {
  let world: World;
  let missing: string | undefined;
  const SERVER = 0x50;

  /** Serves a script on a machine of the network, by HTTP. */
  async function serveScript(name: string, text: string): Promise<void> {
    const folder = join(world.state, 'www');
    await mkdir(folder);
    await writeFile(join(folder, name), text);
    const namespace = await world.machine(macOf(SERVER));
    await run(['ip', '-n', namespace, 'addr', 'add', '10.0.0.80/24', 'dev', 'eth0']);
    world.spawn(['nsenter', `--net=/run/netns/${namespace}`, 'busybox', 'httpd', '-f', '-p', '8080', '-h', folder]);
  }

  /** Starts a machine without a disk, and returns the path of what it prints. */
  async function start(mac: string): Promise<string> {
    const { namespace, device } = await world.tap();
    const console = join(world.state, `${device}.console`);
    world.spawn([
      'nsenter',
      ...[`--net=/run/netns/${namespace}`, QEMU],
      ...['-nodefaults', '-no-user-config', '-nographic', '-machine', 'pc', '-accel', 'tcg', '-m', '64', '-boot', 'n'],
      ...['-netdev', `tap,id=nic,ifname=${device},script=no,downscript=no`],
      ...['-device', `virtio-net-pci,netdev=nic,mac=${mac},bootindex=1`, '-serial', `file:${console}`],
    ]);
    return console;
  }

  beforeAll(async () => {
    missing = await ensureProgram(QEMU, 'qemu-system-x86', () => undefined).then(
      () => (existsSync(ROM) ? undefined : `${ROM} of Debian's ipxe-qemu`),
      String,
    );
    world = await World.create();
    // A line of its console is 80 characters wide.
    const settings = ['net0/ip', 'net0/mac', 'next-server'].map((name) => `\${${name}}`);
    await serveScript('boot.ipxe', `#!ipxe\necho SCRIPT ${settings.join(' ')} END\n`);
    const port = (n: number) =>
      world.port(n, {
        extra_dhcp_opts: [
          { opt_name: 'tag:!ipxe,67', opt_value: 'undionly.kpxe', ip_version: 4 },
          { opt_name: 'tag:ipxe,67', opt_value: 'http://10.0.0.80:8080/boot.ipxe', ip_version: 4 },
          { opt_name: 'server-ip-address', opt_value: '10.0.0.80', ip_version: 4 },
        ],
      });
    const driver = world.driver();
    await driver.serve(world.wanted([port(10)]));
    await driver.portsChanged(world.id, { set: [port(11)], removed: [] });
  }, 600_000);
  afterAll(() => world?.close());

  test('loads and runs the script that its port’s options name', { timeout: BOOT_MS + 5_000 }, async ({ skip }) => {
    skip(missing !== undefined, `no QEMU or no iPXE here: ${missing}`);
    const output = await start(macOf(11));
    const line = await waitFor(
      'the script of iPXE',
      async () => /SCRIPT .* END/.exec(existsSync(output) ? await readFile(output, 'latin1') : '')?.[0],
      BOOT_MS,
    );
    expect(line).toBe(`SCRIPT 10.0.0.11 ${macOf(11)} 10.0.0.80 END`);
  });
});
