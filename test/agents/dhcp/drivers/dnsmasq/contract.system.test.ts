import { test } from 'vitest';
import type { PortDocument } from '../../../../../src/rpc/documents.ts';
import { dhcpDriverContract } from '../../driver-contract.ts';
import { type Client, isRoot, World } from './world.ts';

if (isRoot) {
  dhcpDriverContract('dnsmasq', async () => {
    const world = await World.create();
    const clients = new Map<number, Client>();
    return {
      driver: () => world.driver(),
      network: (ports) => world.wanted(ports),
      port: (n, address = `10.0.0.${n}`): PortDocument =>
        world.port(n, { fixed_ips: [{ subnet_id: 's1', ip_address: address }] }),
      async ask(n) {
        const client = clients.get(n) ?? (await world.client(n));
        clients.set(n, client);
        return (await client.ask())?.ip;
      },
      async kill() {
        process.kill(await world.pid(), 'SIGKILL');
      },
      close: () => world.close(),
    };
  });
} else test.skip('the contract of DHCP drivers: dnsmasq (needs root)', () => undefined);
