import { randomUUID } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ipBatch } from '../../../../../src/linux/ip.ts';
import { addVethCommand, showLink } from '../../../../../src/linux/links.ts';
import { deleteNamespace, ensureNamespace, listNamespaces } from '../../../../../src/linux/namespaces.ts';
import { run } from '../../../../../src/linux/run.ts';
import { dhcpNamespace, tapName } from '../../../../../src/net/device-names.ts';
import type { PortDocument } from '../../../../../src/rpc/documents.ts';
import { waitFor } from '../../../../../src/time/wait.ts';
import { ApiClient } from '../../../../support/api-client.ts';
import { removeUnlessKept } from '../../../../support/folder.ts';
import { NeutrinoProcess } from '../../../../support/neutrino.ts';
import { openVswitchObstacle, startOpenVswitch, type TestSwitch } from '../../../../support/open-vswitch.ts';

const obstacle = openVswitchObstacle();
const BRIDGE = 'br-t-lease';
const VLAN = '12';

describe.skipIf(obstacle !== undefined)(`DHCP through Open vSwitch${obstacle ? `: ${obstacle}` : ''}`, () => {
  const host = `t-${randomUUID().slice(0, 8)}`;
  const guest = `t-guest-${host}`;
  let folder: string;
  let ovs: TestSwitch;
  let neutrino: NeutrinoProcess;
  let api: ApiClient;

  const program = (...words: string[]) =>
    new NeutrinoProcess({
      words: [...words, '--host', host, '--state-path', join(folder, 'state')],
      folder,
      files: {
        'neutron.conf': {
          DEFAULT: { interface_driver: 'neutron.agent.linux.interface.OVSInterfaceDriver', bind_port: 0 },
          ovs: { integration_bridge: BRIDGE, ovsdb_connection: ovs.connection },
        },
      },
    });
  const dhcpPort = (network: string) =>
    waitFor(
      'the DHCP port',
      async () => (await api.ports(`network_id=${network}&device_owner=network:dhcp`))[0],
      30_000,
    );
  /** Waits for the port on the bridge, and does what the Open vSwitch agent would. */
  async function wire(name: string): Promise<void> {
    await waitFor(`${name} on the bridge`, async () => (await ovs.vsctl('list-ports', BRIDGE)).includes(name), 30_000);
    await ovs.vsctl('clear', 'port', name, 'vlan_mode', 'trunks', '--', 'set', 'port', name, `tag=${VLAN}`);
  }
  /** Asks for an address as a machine of the port does, from the same VLAN. */
  async function lease({ mac_address: mac, id }: PortDocument): Promise<string> {
    const [outer, script] = [`v${id.slice(0, 8)}`, join(folder, 'lease.sh')];
    writeFileSync(script, '#!/bin/sh\n[ "$1" != bound ] || echo "got $ip from $serverid"\n', { mode: 0o755 });
    await ipBatch([addVethCommand({ name: outer }, { name: 'eth0', namespace: guest, mac })]);
    await ipBatch([['link', 'set', 'dev', outer, 'up']]);
    await ipBatch([['link', 'set', 'dev', 'eth0', 'up']], { namespace: guest });
    await ovs.vsctl('add-port', BRIDGE, outer, `tag=${VLAN}`);
    const client = ['busybox', 'udhcpc', '-i', 'eth0', '-n', '-q', '-f', '-t', '20', '-T', '1', '-s', script];
    const { stdout } = await run(['ip', 'netns', 'exec', guest, ...client]);
    await ovs.vsctl('del-port', outer);
    await ipBatch([['link', 'delete', 'dev', outer]]);
    return stdout;
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'neutrino-ovs-lease-'));
    ovs = await startOpenVswitch();
    await ovs.addBridge(BRIDGE);
    await ensureNamespace(guest);
    neutrino = program('up');
    await neutrino.start();
    api = new ApiClient(await neutrino.url());
  });
  afterAll(async () => {
    await neutrino?.kill();
    await deleteNamespace(guest);
    for (const name of await listNamespaces())
      if (name.startsWith('qdhcp-') && made.has(name)) await deleteNamespace(name);
    await ovs?.dispose();
    removeUnlessKept(folder);
  });
  const made = new Set<string>();

  it('leases the address of a port, and goes on over a restart of the agent; down removes its ports only', async () => {
    const network = await api.network('10.66.0.0/24');
    made.add(dhcpNamespace(network));
    const own = await dhcpPort(network);
    const device = tapName(own.id);
    await wire(device);
    const port = await api.machinePort(network, 'elsewhere');
    const address = port.fixed_ips[0]?.ip_address;
    expect(await lease(port)).toContain(`got ${address} from ${own.fixed_ips[0]?.ip_address}`);

    const facts = async () => [
      await ovs.vsctl('get', 'port', device, '_uuid', 'tag'),
      (await showLink(device, { namespace: dhcpNamespace(network) }))?.index,
      await run(['ip', 'netns', 'pids', dhcpNamespace(network)]).then(({ stdout }) => stdout),
    ];
    const before = await facts();
    await neutrino.end('SIGTERM');
    await neutrino.start();
    api = new ApiClient(await neutrino.url());
    await neutrino.logged(/networks synchronised.*"networks":1|"networks":1.*networks synchronised/);
    expect(await facts()).toEqual(before);
    expect(await lease(port)).toContain(`got ${address} from`);

    const other = await api.network('10.67.0.0/24');
    made.add(dhcpNamespace(other));
    const gone = tapName((await dhcpPort(other)).id);
    await wire(gone);
    await api.delete('network', other);
    await waitFor(
      'the port to be unplugged',
      async () => !(await ovs.vsctl('list-ports', BRIDGE)).includes(gone),
      30_000,
    );
    expect(await ovs.vsctl('list-ports', BRIDGE)).toContain(device);

    const stranger = ['add-port', BRIDGE, 'vm-port', '--', 'set', 'interface', 'vm-port', 'type=internal'];
    await ovs.vsctl(...stranger, 'external_ids:iface-id=44444444-4444-4444-8444-444444444444');
    const down = program('down');
    await down.runToEnd();
    expect(down.stdout).toMatch(new RegExp(`^  Devices +${device}\\b`, 'm'));
    expect(await ovs.vsctl('list-ports', BRIDGE)).toBe('vm-port');
    expect(await listNamespaces()).not.toContain(dhcpNamespace(network));
  });
});
