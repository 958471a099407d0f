import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { run } from '../../../../../src/linux/run.ts';
import { setSysctls } from '../../../../../src/linux/sysctl.ts';
import { isRoot, macOf, World } from './world.ts';

const GATEWAY = '10.2.0.1';

describe.skipIf(!isRoot)('DHCP on several segments of a routed network (needs root)', () => {
  let world: World;
  beforeEach(async () => {
    world = await World.create();
  });
  afterEach(() => world.close());

  /** The router between the segments, with a DHCP relay; its eth1 is the gateway of the other segment. */
  async function router(): Promise<string> {
    const namespace = await world.machine('fa:16:3e:ff:00:07');
    await setSysctls({ 'net/ipv4/ip_forward': 1 }, { namespace });
    await run(['ip', '-n', namespace, 'addr', 'add', '10.0.0.1/24', 'dev', 'eth0']);
    await run(['ip', '-n', world.namespace, 'route', 'add', 'default', 'via', '10.0.0.1']);
    return namespace;
  }

  /** Moves a machine's eth0 from the network's segment to the one behind the router. */
  async function moveBehind(gateway: string, machine: string, mac: string): Promise<void> {
    await run(['ip', '-n', machine, 'link', 'del', 'eth0']);
    await run(['ip', '-n', gateway, 'link', 'add', 'eth1', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', machine]);
    await run(['ip', '-n', gateway, 'addr', 'add', `${GATEWAY}/24`, 'dev', 'eth1']);
    await run(['ip', '-n', gateway, 'link', 'set', 'eth1', 'up']);
    await run(['ip', '-n', machine, 'link', 'set', 'eth0', 'address', mac, 'up']);
  }

  test('one server answers on the devices of all segments that the host reaches', async () => {
    const client = await world.client(0x31);
    await moveBehind(world.namespace, client.namespace, macOf(0x31));
    const subnets = ['10.0.0.0/24', '10.2.0.0/24'].map((cidr, at) =>
      world.subnet(`s${at + 1}`, cidr, { segment_id: `segment${at + 1}` }),
    );
    const there = world.port(0x31, { fixed_ips: [{ subnet_id: 's2', ip_address: '10.2.0.77' }] });
    await world.driver().serve(world.wanted([world.port(0x11), there], { subnets }));
    expect((await (await world.client(0x11)).ask())?.ip).toBe('10.0.0.17');
    expect(await client.ask()).toMatchObject({ ip: '10.2.0.77', serverid: GATEWAY });
  });

  test('a relayed request gets the address, routes and gateway of its own segment', async () => {
    const other = world.subnet('s2', '10.2.0.0/24', {
      segment_id: 'segment2',
      host_routes: [{ destination: '10.0.0.0/24', nexthop: GATEWAY }],
    });
    const own = world.subnet('s1', '10.0.0.0/24', { segment_id: 'segment1' });
    const far = world.port(0x21, { fixed_ips: [{ subnet_id: 's2', ip_address: '10.2.0.77' }] });
    const driver = world.driver();
    await driver.serve(world.wanted([world.port(0x11), far], { subnets: [own], non_local_subnets: [other] }));

    const gateway = await router();
    const client = await world.client(0x21);
    await moveBehind(gateway, client.namespace, macOf(0x21));
    // No relay, no answer: the server is on the other segment.
    expect(await client.ask(['-t', '1'])).toBeUndefined();
    // dnsmasq's own relay fills in giaddr, as relays on routers do.
    const relay = ['dnsmasq', '-k', '--conf-file=/dev/null', '--port=0', `--dhcp-relay=${GATEWAY},10.0.0.2`];
    world.spawn(['ip', 'netns', 'exec', gateway, ...relay, '--pid-file=']);

    const told = await client.boot();
    expect(told).toMatchObject({ ip: '10.2.0.77', mask: '24', router: GATEWAY, serverid: '10.0.0.2' });
    expect(told.staticroutes).toContain(`10.0.0.0/24 ${GATEWAY}`);
    // Neighbours of the server are not on the machine's link.
    expect(told.staticroutes).not.toContain('0.0.0.0 ');
    await run(['ip', '-n', client.namespace, 'route', 'replace', 'default', 'via', GATEWAY]);
    // It renews without the relay, over the router.
    expect((await client.renew()).told).toMatchObject({ event: 'renew', ip: '10.2.0.77' });
    // Machines on the server's own segment are served as ever.
    expect((await (await world.client(0x11)).ask())?.ip).toBe('10.0.0.17');
    // The lease goes with the port, without a restart, although the server has no address in that subnet.
    const pid = await world.pid();
    await driver.portsChanged(world.id, { set: [], removed: [far.id] });
    expect(await world.read('leases')).not.toContain('10.2.0.77');
    expect(await world.pid()).toBe(pid);
    expect(await client.ask(['-t', '1'])).toBeUndefined();
  });
});
