import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DhcpDriver } from '../../../src/agents/dhcp/contract.ts';
import type { NetworkInfo } from '../../../src/rpc/documents.ts';
import { topicClient } from '../../../src/rpc/topic.ts';
import { DHCP_AGENT_TOPIC } from '../../../src/rpc/topics/dhcp-agent.ts';
import { network, port, subnet } from './documents.ts';
import { World as DnsmasqWorld, isRoot } from './drivers/dnsmasq/world.ts';
import { World } from './world.ts';

/** Enough that a queue would grow if it could, and few enough for a few seconds. */
const PORTS = 1_000;

describe.skipIf(!isRoot)('many new ports in one network, one after another (needs root)', () => {
  let dnsmasq: DnsmasqWorld;
  let world: World;
  beforeEach(async () => {
    dnsmasq = await DnsmasqWorld.create();
    world = new World();
  });
  afterEach(async () => {
    await world.close();
    await dnsmasq.close();
  });

  /** Counts the hand-overs to a driver, and how many run at a time. */
  function counted(driver: DhcpDriver) {
    const seen = { handed: 0, running: 0, most: 0 };
    const wrapped: DhcpDriver = {
      serve: (wanted) => driver.serve(wanted),
      portsChanged: async (...args) => {
        seen.handed += 1;
        seen.running += 1;
        seen.most = Math.max(seen.most, seen.running);
        try {
          await driver.portsChanged(...args);
        } finally {
          seen.running -= 1;
        }
      },
      restMs: (networkId) => driver.restMs?.(networkId) ?? 0,
      stop: (networkId) => driver.stop(networkId),
      known: () => driver.known(),
      onDeath: (listener) => driver.onDeath(listener),
      close: () => driver.close(),
    };
    return { seen, wrapped };
  }

  async function serveBigNetwork(
    options: object = {},
  ): Promise<{ info: NetworkInfo; seen: { handed: number; most: number } }> {
    const { seen, wrapped } = counted(dnsmasq.driver(options));
    const wide = subnet(dnsmasq.id, { cidr: '10.0.0.0/16' });
    const info = world.server.put(network({ id: dnsmasq.id, subnets: [wide] }));
    await world.startAndSync({ driver: wrapped });
    return { info, seen };
  }

  async function create(info: NetworkInfo, count: number): Promise<string[]> {
    const made: string[] = [];
    for (let n = 0; n < count; n += 1) {
      const ip_address = `10.0.${100 + (n >> 8)}.${n & 255}`;
      const one = port(info.id, { fixed_ips: [{ subnet_id: info.subnets[0]?.id as string, ip_address }] });
      // A call, whose answer says that the agent has taken it.
      const args = { payload: { port: world.server.setPort(one), priority: 5 } };
      await topicClient(world.transport, DHCP_AGENT_TOPIC).call('port_create_end', args, { server: world.host });
      made.push(one.id);
    }
    return made;
  }

  test('cause one reload at a time, each for all that came meanwhile: when the last has come, at most two follow', async () => {
    const { info, seen } = await serveBigNetwork();
    const before = await dnsmasq.reads();
    const made = await create(info, PORTS);
    const untilLast = seen.handed;
    await world.until(() => expect(world.server.ready()).toEqual(expect.arrayContaining(made)));
    expect(seen.handed - untilLast).toBeLessThanOrEqual(2);
    expect(seen.most).toBe(1);
    expect((await dnsmasq.reads()) - before).toBeLessThanOrEqual(seen.handed);
    expect(seen.handed).toBeLessThan(PORTS);
    const host = await dnsmasq.read('host');
    expect(host.match(/,10\.0\.10\d\.\d+\n/g)).toHaveLength(PORTS);
  });

  test('are collected for bulk_reload_interval', async () => {
    const { info } = await serveBigNetwork({ bulk_reload_interval: 1 });
    const before = await dnsmasq.reads();
    const began = performance.now();
    const made = await create(info, 50);
    await world.until(() => expect(world.server.ready()).toEqual(expect.arrayContaining(made)));
    // One a second, however long the machine took, and the first.
    expect((await dnsmasq.reads()) - before).toBeLessThanOrEqual(1 + (performance.now() - began) / 1_000);
  });
});
