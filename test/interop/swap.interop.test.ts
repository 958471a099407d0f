import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PortDocument } from '../../src/rpc/documents.ts';
import type { ApiClient } from '../support/api-client.ts';
import type { HostGuest } from '../support/hosts/test-host.ts';
import type { AgentHost } from './agent-host.ts';
import { type Cloud, startCloud } from './cloud.ts';
import { awaitPort, LEASE_MS } from './dhcp-facts.ts';
import { errorsIn, expectCleanLogs } from './logs.ts';
import { stockObstacle } from './stock-packages.ts';

const obstacle = stockObstacle();
const NAME = 'swapping the DHCP agent of a host under a stock server';

describe.skipIf(obstacle !== undefined)(`${NAME}${obstacle ? `: ${obstacle}` : ''}`, () => {
  let cloud: Cloud;
  let api: ApiClient;
  let on: AgentHost;
  let network: string;
  let guest: HostGuest;
  let address: string;
  beforeAll(async () => {
    cloud = await startCloud();
    ({ api } = await cloud.server('stock'));
    on = await cloud.agents(api, 'one', { dhcp: 'stock', l2: 'stock' });
    network = await api.network('10.81.0.0/24');
    guest = await on.boot(await api.machinePort(network, on.host.name));
    ({ address } = await guest.lease('eth0', LEASE_MS));
  });
  afterAll(() => cloud?.dispose());

  const dhcpPort = async (): Promise<PortDocument> => {
    const [port, ...more] = await api.ports(`network_id=${network}&device_owner=network:dhcp`);
    if (!port || more.length > 0) throw new Error(`network ${network} has ${more.length + (port ? 1 : 0)} DHCP ports`);
    return port;
  };

  /** Checks that the running agent serves an existing machine and a new one. */
  async function serves(): Promise<void> {
    const late = await api.machinePort(network, on.host.name);
    await awaitPort(on, late);
    const machine = await on.boot(late);
    try {
      expect((await machine.lease('eth0', LEASE_MS)).address).toBe(late.fixed_ips[0]?.ip_address);
    } finally {
      await machine.stop();
    }
    expect((await guest.renew('eth0', LEASE_MS)).address).toBe(address);
  }

  test("in: Neutrino's agent serves with the same port and address, and no machine loses its lease", async () => {
    const before = await dhcpPort();
    await on.swapDhcp('neutrino');
    await serves();
    const { id, fixed_ips, mac_address } = await dhcpPort();
    expect([id, fixed_ips, mac_address]).toEqual([before.id, before.fixed_ips, before.mac_address]);
  });

  test('out, after Neutrino has removed what it created: the stock agent serves with the same port, and no errors are logged', async () => {
    const before = await dhcpPort();
    await on.dhcp.shutDown();
    const removed = await on.removeFromHost();
    expect(removed).toContain(`qdhcp-${network}`);
    await on.swapDhcp('stock');
    await serves();
    expect((await dhcpPort()).id).toBe(before.id);
    expectCleanLogs(cloud);
  });

  test('out, without removal: the stock agent finds that the device of its port exists, and serves with another port with the same address', async () => {
    await on.swapDhcp('neutrino');
    await serves();
    const before = await dhcpPort();
    await on.swapDhcp('stock');
    await serves();
    expect((await dhcpPort()).fixed_ips).toEqual(before.fixed_ips);
    expect(
      cloud.programs.flatMap(errorsIn).filter((line) => !/Interface tap\S+ already exists|File exists/.test(line)),
    ).toEqual([]);
  });
});
