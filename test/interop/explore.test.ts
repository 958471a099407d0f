import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AgentHost, type RunningServer, startWorld, type World } from './world.ts';

describe('explore', () => {
  let world: World;
  let server: RunningServer;
  let one: AgentHost;
  beforeAll(async () => {
    world = await startWorld();
    server = await world.server((process.env.SIDE_SERVER ?? 'neutrino') as 'stock');
    one = await world.agents(server.api, 'one', { dhcp: (process.env.SIDE_DHCP ?? 'stock') as 'stock', l2: (process.env.SIDE_L2 ?? 'neutrino') as 'stock' });
  }, 600_000);
  afterAll(async () => {
    for (const p of world?.programs ?? []) writeFileSync(`/tmp/explore-${p.which.replaceAll(' ', '-')}.log`, p.log());
    await world?.dispose();
  });
  test('a lease', async () => {
    const t = performance.now();
    const net = await server.api.network('10.1.0.0/24');
    const port = await server.api.machinePort(net, 'one');
    const guest = await one.boot(port);
    const lease = await guest.lease('eth0', 15_000).catch(async (e) => {
      console.log(await one.host.run('sh', '-c', 'cat /tmp/neutrino-interop-*/one/dhcp/*/{host,opts,addn_hosts,leases}; cat /tmp/neutrino-interop-*/one/dnslog/*/*; ps ax -o args | grep dnsmasq; ip netns exec qdhcp-\$(ls /tmp/neutrino-interop-*/one/dhcp) ss -lnup; ls -la /tmp/neutrino-interop-*/one/dhcp/* tail -n 20 /tmp/neutrino-interop-*/one/dhcp/*/log; iptables -S; sysctl net.bridge'));
      throw e;
    });
    console.log(lease, performance.now() - t);
    expect(lease.address).toBe(port.fixed_ips[0]?.ip_address);
    await server.api.awaitActive(port.id);
    console.log(await one.host.run('ip', '-all', 'netns', 'exec', 'ip', 'addr'));
    console.log(await one.host.run('sh', '-c', 'ps ax -o pid,rss,args'));
    await guest.stop();
    await new Promise((r) => setTimeout(r, Number(process.env.LINGER ?? 10_000)));
    console.log(await server.api.agents());
  }, 600_000);
});
