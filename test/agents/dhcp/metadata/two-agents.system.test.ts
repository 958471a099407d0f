import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DeviceSpec, deviceSpec } from '../../../../src/agents/dhcp/device-plan.ts';
import { type DhcpDevices, dhcpDevices } from '../../../../src/agents/dhcp/devices.ts';
import type { MetadataProxies } from '../../../../src/agents/dhcp/metadata/contract.ts';
import { NativeProxies } from '../../../../src/agents/dhcp/metadata/native/native-proxies.ts';
import { defaultConfig } from '../../../../src/config/options.ts';
import { ipBatch } from '../../../../src/linux/ip.ts';
import { addVethCommand, deleteLink } from '../../../../src/linux/links.ts';
import { deleteNamespace, ensureNamespace } from '../../../../src/linux/namespaces.ts';
import { nativeObstacle } from '../../../../src/linux/native.ts';
import { run } from '../../../../src/linux/run.ts';
import type { PortDocument } from '../../../../src/rpc/documents.ts';
import { waitFor } from '../../../../src/time/wait.ts';
import { addBridge, setMaster } from '../../../linux/devices.ts';
import { network, port, subnet } from '../documents.ts';

const obstacle = process.getuid?.() !== 0 ? 'needs root' : nativeObstacle();
const log = pino({ level: 'silent' });

/** A DHCP agent's part of the network: on its own host, it would be in a namespace of the same name. */
interface Side {
  readonly port: PortDocument;
  readonly devices: DhcpDevices;
  readonly proxies: MetadataProxies;
  readonly server: Server;
  readonly id: string;
  ensure(ports: readonly PortDocument[]): Promise<DeviceSpec>;
}

describe.skipIf(obstacle !== undefined)(`metadata of two agents on one link${obstacle ? `: ${obstacle}` : ''}`, () => {
  const bridge = `brt${randomUUID().slice(0, 8)}`;
  const machine = `vm-${randomUUID()}`;
  const tap = `tpt${randomUUID().slice(0, 8)}`;
  const { id } = network();
  const subnets = [subnet(id, { id: 's' })];
  let folder: string;
  let sides: Side[];

  async function makeSide(name: string, portId: string): Promise<Side> {
    const { DEFAULT, metadata_rate_limiting, ovs } = defaultConfig();
    const metadata_proxy_socket = join(folder, `${name}.socket`);
    const config = {
      metadata_rate_limiting,
      ovs,
      DEFAULT: { ...DEFAULT, host: name, state_path: join(folder, name), metadata_proxy_socket },
    };
    const server = createServer((_req, res) => res.end(name)).listen(metadata_proxy_socket);
    await once(server, 'listening');
    const fixed_ips = [{ subnet_id: 's', ip_address: '10.0.0.2' }];
    const dhcp = port(id, { id: portId, device_owner: 'network:dhcp', device_id: `dhcp-${name}`, fixed_ips });
    const devices = await dhcpDevices({ config, log });
    const own = randomUUID();
    return {
      ...{ port: dhcp, devices, server, id: own },
      proxies: new NativeProxies({ config, log }),
      async ensure(ports) {
        const spec = deviceSpec(network({ id, subnets, ports }), dhcp, { metadata: true });
        const placed = { ...spec, networkId: own, namespace: `qdhcp-${own}` };
        await devices.ensure(placed);
        return placed;
      },
    };
  }

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'neutrino-two-'));
    await addBridge(bridge);
    await ensureNamespace(machine);
    const ends = [{ name: tap }, { name: 'eth0', namespace: machine }] as const;
    await ipBatch([addVethCommand(...ends), ['link', 'set', 'dev', tap, 'master', bridge, 'up']]);
    await ipBatch(
      [
        ['addr', 'add', 'fe80::1/64', 'dev', 'eth0', 'nodad'],
        ['link', 'set', 'dev', 'eth0', 'up'],
      ],
      { namespace: machine },
    );
    sides = [
      await makeSide('first', `0${randomUUID().slice(1)}`),
      await makeSide('second', `f${randomUUID().slice(1)}`),
    ];
  });
  afterEach(async () => {
    for (const { proxies, devices, server, id: own } of sides) {
      await proxies.stop(own);
      await proxies.close();
      await devices.remove(own);
      await devices.close();
      server.close();
    }
    await deleteLink(bridge);
    await deleteNamespace(machine);
    rmSync(folder, { recursive: true, force: true });
  });

  const ask = async (): Promise<string> => {
    const url = 'http://[fe80::a9fe:a9fe%25eth0]/';
    const words = ['nsenter', `--net=/run/netns/${machine}`, 'curl', '-sS', '-g', '-m', '2', url] as const;
    return (await run(words)).stdout;
  };
  const forget = () => ipBatch([['neigh', 'flush', 'dev', 'eth0']], { namespace: machine });

  it('is answered by one over IPv6, and by the other as soon as the first one is gone', async () => {
    const ports = sides.map((side) => side.port);
    for (const side of sides) {
      const { namespace, device } = await side.ensure(ports);
      await setMaster(device, bridge);
      await side.proxies.serve({ networkId: side.id, namespace, devices: [device], routerId: undefined });
    }
    await waitFor('an answer', () => ask().catch(() => undefined), 10_000);
    const seen = new Set<string>();
    for (let i = 0; i < 10; i++) {
      await forget();
      seen.add(await ask());
    }
    expect([...seen]).toEqual(['first']);

    // The server has given the network to the second agent alone. The machine still knows the first one's MAC address.
    await ask();
    const [first, second] = sides;
    await first?.devices.remove(first.id);
    await second?.ensure(ports.slice(1));
    expect(await ask()).toBe('second');
  });
});
