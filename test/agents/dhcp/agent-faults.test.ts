import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NetworkInfo } from '../../../src/rpc/documents.ts';
import { network, port, subnet } from './documents.ts';
import { World } from './world.ts';

let world: World;
let net: NetworkInfo;
beforeEach(async () => {
  world = new World();
  const bare = network();
  net = world.server.put({ ...bare, ports: [port(bare.id)] });
});
afterEach(() => world.close());
const start = () => world.startAndSync({ DEFAULT: { resync_interval: 1 } });

describe('a DHCP server that dies', () => {
  it('is back at once', async () => {
    await start();
    world.driver.die(net.id);
    await world.until(() => expect(world.driver.serving.has(net.id)).toBe(true));
    expect(world.lines.filter((line) => line.msg === "a network's DHCP server or metadata proxy died")).toMatchObject([
      { network: net.id, count: 1, delayMs: 0 },
    ]);
  });

  it('again and again comes back after a growing pause', async () => {
    await start();
    for (let deaths = 1; deaths <= 3; deaths += 1) {
      world.driver.die(net.id);
      await world.until(() => expect(world.driver.serving.has(net.id)).toBe(true));
    }
    const pauses = world.lines.flatMap((line) => (typeof line.delayMs === 'number' ? [line.delayMs] : []));
    expect(pauses[0]).toBe(0);
    expect(pauses[1]).toBeGreaterThan(0);
    expect(pauses[2]).toBeGreaterThan(pauses[1] as number);
  });

  it('of a network that is served no more stays dead', async () => {
    await start();
    await world.notify('network_delete_end', { payload: { network_id: net.id } });
    await world.until(() => expect(world.server.called('release_dhcp_port')).toHaveLength(1));
    await world.settled();
    world.driver.die(net.id);
    await world.settled();
    expect(world.driver.passes(net.id)).toHaveLength(1);
    expect(world.lines.some((line) => line.msg === "a network's DHCP server or metadata proxy died")).toBe(false);
  });
});

describe('a device that vanishes', () => {
  it('is made again', async () => {
    await start();
    world.devices.vanish(net.id);
    await world.until(() => expect(world.devices.there.has(net.id)).toBe(true));
  });

  it('while it is being made is looked at once more', async () => {
    let first = true;
    world.devices.before = (spec) => {
      if (first) setImmediate(() => world.devices.vanish(spec.networkId));
      first = false;
      return world.settled();
    };
    await start();
    await world.until(() => expect(world.devices.ensured).toHaveLength(2));
    await world.until(() => expect(world.devices.there.has(net.id)).toBe(true));
  });
});

describe('a network that cannot be brought to its state', () => {
  it.each([
    ['the driver', () => (world.driver.before = failOnce('disk full'))],
    ['the device', () => (world.devices.before = failOnce('no such device'))],
  ])(
    'for %s is tried again after resync_interval, with its reason logged, and its document asked for',
    async (_who, harm) => {
      harm();
      await start();
      await world.until(() => expect(world.driver.serving.has(net.id)).toBe(true));
      expect(world.server.called('get_network_info')).toHaveLength(1);
      expect(world.lines.find((line) => line.msg === 'cannot bring a network to its desired state')).toMatchObject({
        network: net.id,
        failures: 1,
      });
      expect(world.lines.find((line) => line.msg === 'checking a network again')?.reason).toMatch(
        /disk full|no such device/,
      );
    },
  );

  it('does not hinder the others', async () => {
    const other = world.server.put(network());
    world.driver.before = ({ info }) => {
      if (info.id === net.id) throw new Error('disk full');
    };
    await start();
    expect(world.driver.serving.has(other.id)).toBe(true);
    expect(world.driver.serving.has(net.id)).toBe(false);
  });

  it('since no DHCP port is to be had is tried again', async () => {
    let refusals = 0;
    world.server.before = ({ method }) => {
      if (method === 'create_dhcp_port' && refusals === 0) {
        refusals += 1;
        throw new Error('IpAddressGenerationFailure');
      }
    };
    await start();
    await world.until(() => expect(world.driver.serving.has(net.id)).toBe(true));
  });

  it('asks once for a reserved DHCP port that does not become its own, and then for a new one', async () => {
    const reserved = port(net.id, { device_id: 'reserved_dhcp_port' });
    world.server.put({ ...net, ports: [reserved] });
    world.server.before = ({ method, args }) => {
      if (method === 'update_dhcp_port') {
        (args as { port: { port: { device_id: string } } }).port.port.device_id = 'reserved_dhcp_port';
      }
    };
    await start();
    expect(world.server.called('update_dhcp_port')).toHaveLength(1);
    expect(world.driver.serving.get(net.id)?.dhcpPortId).not.toBe(reserved.id);
  });

  it('asks a server that never gives the wanted addresses a few times in a pass only', async () => {
    await start();
    const second = subnet(net.id, { cidr: '10.0.50.0/24' });
    world.server.before = ({ method, args }) => {
      const info = world.server.networks.get(net.id) as NetworkInfo;
      if (method === 'update_dhcp_port') {
        world.server.put({ ...info, subnets: net.subnets });
        const { port: body } = (args as { port: { port: { fixed_ips: unknown[] } } }).port;
        body.fixed_ips.length = 1;
      }
    };
    world.server.put({ ...(world.server.networks.get(net.id) as NetworkInfo), subnets: [...net.subnets, second] });
    await world.notify('subnet_create_end', { payload: { subnet: second } });
    await world.until(() =>
      expect(
        world.lines.some((line) => (line.err as { message?: string })?.message?.includes('has no DHCP port with')),
      ).toBe(true),
    );
    expect(world.server.called('update_dhcp_port')).toHaveLength(2);
    await world.until(() => expect(world.server.called('get_network_info').length).toBeGreaterThanOrEqual(2));
  });
});

describe('a server out of reach', () => {
  it('does not keep what is known from being served', async () => {
    await start();
    world.server.before = ({ method }) => {
      if (method === 'get_network_info') throw new Error('database is away');
    };
    const one = port(net.id);
    await world.notify('network_update_end', { payload: { network: { id: net.id } } });
    await world.notify('port_create_end', { payload: { port: world.server.setPort(one) } });
    await world.until(() => expect(world.driver.ports(net.id)).toContainEqual(one));
    world.server.before = () => undefined;
    const asked = world.server.called('get_network_info').length;
    await world.until(() => expect(world.server.called('get_network_info').length).toBeGreaterThan(asked));
  });

  it('is told later which ports are ready', async () => {
    await start();
    await world.until(() => expect(world.server.ready()).toHaveLength(2));
    let refused = 0;
    world.server.before = ({ method }) => {
      if (method !== 'dhcp_ready_on_ports' || refused > 0) return;
      refused += 1;
      throw new Error('database is away');
    };
    const one = port(net.id);
    await world.notify('port_create_end', { payload: { port: world.server.setPort(one) } });
    await world.until(() => expect(world.server.ready().filter((id) => id === one.id)).toHaveLength(2));
  });

  it('that refuses to release a DHCP port has had the last word', async () => {
    await start();
    world.server.before = ({ method }) => {
      if (method === 'release_dhcp_port') throw new Error('no such port');
    };
    await world.notify('network_delete_end', { payload: { network_id: net.id } });
    await world.until(() => expect(world.server.called('release_dhcp_port')).toHaveLength(1));
    await world.settled();
    expect(world.lines.some((line) => line.msg.includes('cannot release the DHCP port'))).toBe(true);
    expect(world.lines.some((line) => line.msg === 'cannot bring a network to its desired state')).toBe(false);
  });
});

describe('a DHCP port that could not be released', () => {
  it('is the port again when the network is served again', async () => {
    await start();
    const own = world.server.dhcpPort(net.id);
    const whole = world.server.networks.get(net.id) as NetworkInfo;
    world.server.before = ({ method }) => {
      if (method === 'release_dhcp_port') throw new Error('refused');
    };
    world.server.put({ ...whole, admin_state_up: false });
    await world.notify('network_update_end', { payload: { network: { id: net.id } } });
    await world.until(() => expect(world.devices.removed).toEqual([net.id]));
    world.server.put(whole);
    await world.notify('network_update_end', { payload: { network: { id: net.id } } });
    await world.until(() => expect(world.driver.serving.get(net.id)?.dhcpPortId).toBe(own?.id));
    expect(world.server.called('create_dhcp_port')).toHaveLength(1);
  });
});

describe('a message that makes no sense', () => {
  it('is refused without harm', async () => {
    await start();
    await world.notify('port_create_end', { payload: {} as never });
    await world.notify('subnet_delete_end', { payload: { subnet_id: 'unknown' } });
    await world.notify('network_create_end', { payload: { network: { id: 'no such network' } } });
    const one = port(net.id);
    await world.notify('port_create_end', { payload: { port: world.server.setPort(one) } });
    await world.until(() => expect(world.driver.ports(net.id)).toContainEqual(one));
    expect(world.driver.serving.size).toBe(1);
  });
});

function failOnce(message: string): () => void {
  let failed = false;
  return () => {
    if (failed) return;
    failed = true;
    throw new Error(message);
  };
}
