import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tapName } from '../../../src/net/device-names.ts';
import { dhcpDeviceId } from '../../../src/net/dhcp-device-id.ts';
import type { NetworkInfo, PortDocument } from '../../../src/rpc/documents.ts';
import { captured } from './captured.ts';
import { network, port, subnet } from './documents.ts';
import { World } from './world.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

const withPorts = (count: number): NetworkInfo => {
  const net = network();
  return { ...net, ports: Array.from({ length: count }, () => port(net.id)) };
};

describe('the first sync', () => {
  it('reports the agent, asks for its networks, and serves each with its own DHCP port and device', async () => {
    const nets = [withPorts(3), withPorts(2)].map((net) => world.server.put(net));
    await world.startAndSync();
    expect(world.server.calls.slice(0, 2).map((call) => call.method)).toEqual([
      'report_state',
      'get_active_networks_info',
    ]);
    expect(world.server.called('get_active_networks_info')).toEqual([
      { host: world.host, enable_dhcp_filter: false, limit: 1_000 },
    ]);
    for (const net of nets) {
      const own = world.server.dhcpPort(net.id) as PortDocument;
      const wanted = world.driver.serving.get(net.id);
      expect(wanted).toMatchObject({
        namespace: `qdhcp-${net.id}`,
        device: tapName(own.id),
        dhcpPortId: own.id,
        info: { id: net.id, mtu: 1450 },
      });
      expect(wanted?.info.ports).toContainEqual(own);
      expect(world.driver.ports(net.id)).toEqual(net.ports);
      expect(world.devices.there.get(net.id)).toMatchObject({ device: tapName(own.id), mac: own.mac_address });
      expect(world.driver.passes(net.id)).toHaveLength(1);
    }
  });

  it("asks for DHCP ports as stock Neutron's agent does", async () => {
    const net = world.server.put(network());
    await world.startAndSync();
    const [asked] = world.server.called('create_dhcp_port');
    const { args } = captured('create_dhcp_port');
    expect(Object.keys(asked ?? {}).sort()).toEqual(Object.keys(args).sort());
    expect(asked).toMatchObject({
      host: world.host,
      port: { port: { device_id: dhcpDeviceId(world.host, net.id), fixed_ips: [{ subnet_id: net.subnets[0]?.id }] } },
    });
  });

  it('takes over a reserved DHCP port, and gives it addresses in the subnets that it lacks', async () => {
    const net = network();
    const reserved = port(net.id, { device_id: 'reserved_dhcp_port', device_owner: 'network:dhcp' });
    world.server.put({ ...net, ports: [reserved] });
    await world.startAndSync();
    expect(world.server.called('create_dhcp_port')).toEqual([]);
    expect(world.server.called('update_dhcp_port').map((args) => args.port)).toEqual([
      { port: { network_id: net.id, device_id: dhcpDeviceId(world.host, net.id) } },
      { port: { network_id: net.id, fixed_ips: [{ subnet_id: net.subnets[0]?.id }] } },
    ]);
    expect(world.driver.serving.get(net.id)?.dhcpPortId).toBe(reserved.id);
  });

  it('asks for a port of its own when another agent was faster to take the reserved one', async () => {
    const net = network();
    const reserved = port(net.id, { device_id: 'reserved_dhcp_port' });
    world.server.put({ ...net, ports: [reserved] });
    class DhcpPortInUse extends Error {
      override name = 'DhcpPortInUse';
    }
    world.server.before = ({ method }) => {
      if (method === 'update_dhcp_port') throw new DhcpPortInUse('in use');
    };
    await world.startAndSync();
    expect(world.server.called('create_dhcp_port')).toHaveLength(1);
    expect(world.driver.serving.has(net.id)).toBe(true);
  });

  it('leaves networks alone that are down or want no DHCP, and that it has nothing of', async () => {
    const [down, plain] = [network({ admin_state_up: false }), network()];
    world.server.put(down);
    world.server.put({ ...plain, subnets: [subnet(plain.id, { enable_dhcp: false })] });
    await world.startAndSync();
    expect(world.driver.applied).toEqual([]);
    expect(world.driver.disabled).toEqual([]);
    expect(world.devices.removed).toEqual([]);
    expect(world.server.called('release_dhcp_port')).toEqual([]);
  });

  it('takes down what is left of networks that are not its any more: files, devices and DHCP port', async () => {
    const [gone, moved, off] = [network(), network(), network({ admin_state_up: false })];
    world.server.put(moved);
    world.server.put(off);
    world.server.elsewhere.add(moved.id);
    world.driver.left = [gone.id, off.id];
    world.devices.left = [moved.id];
    await world.startAndSync();
    await world.until(() => expect(world.server.called('release_dhcp_port')).toHaveLength(3));
    expect([...world.driver.disabled].sort()).toEqual([gone.id, moved.id, off.id].sort());
    expect([...world.devices.removed].sort()).toEqual([gone.id, moved.id, off.id].sort());
    expect(world.server.called('release_dhcp_port')).toContainEqual({
      network_id: moved.id,
      device_id: dhcpDeviceId(world.host, moved.id),
      host: world.host,
    });
    expect(world.driver.applied).toEqual([]);
  });

  it('works on num_sync_threads networks side by side, and not on more', async () => {
    for (let count = 0; count < 6; count += 1) world.server.put(network());
    let running = 0;
    let most = 0;
    world.driver.before = async () => {
      running += 1;
      most = Math.max(most, running);
      await world.settled();
      running -= 1;
    };
    await world.startAndSync({ DEFAULT: { num_sync_threads: 2 } });
    expect(world.driver.serving.size).toBe(6);
    expect(most).toBe(2);
  });

  it('full syncs keep resync_throttle between them, and all reasons meanwhile make one', async () => {
    await world.startAndSync({ DEFAULT: { resync_throttle: 3_600 } });
    const syncs = () => world.server.called('get_active_networks_info').length;
    for (const _reason of [1, 2, 3]) {
      await world.notify('agent_updated', { payload: { admin_state_up: true } });
      world.loseNotifications();
    }
    await world.settled();
    expect(syncs()).toBe(1);
    await world.stop();
    await world.start({ DEFAULT: { resync_throttle: 0 } });
    await world.until(() => expect(syncs()).toBe(2));
    await world.settled();
    world.loseNotifications();
    await world.until(() => expect(syncs()).toBe(3));
  });

  it('waits for a server that is not there yet', async () => {
    const net = world.server.put(network());
    await world.start({ server: false });
    await world.settled();
    expect(world.driver.applied).toEqual([]);
    await world.serve();
    await world.until(() => expect(world.driver.serving.has(net.id)).toBe(true));
  });

  it('is tried again when the server fails, without harm to what is served from before', async () => {
    const net = world.server.put(network());
    world.driver.left = [net.id];
    let failures = 0;
    world.server.before = ({ method }) => {
      failures += method === 'get_active_networks_info' ? 1 : 0;
      if (method === 'get_active_networks_info' && failures < 2) throw new Error('database is away');
    };
    await world.start();
    await world.until(() => expect(world.driver.serving.has(net.id)).toBe(true));
    expect(world.driver.disabled).toEqual([]);
    expect(failures).toBe(2);
  });
});

describe('the sync with a server that gives networks in pages', () => {
  const markers = () => world.server.called('get_active_networks_info').map((args) => args.marker);
  const synchronised = () => world.lines.filter((line) => line.msg === 'networks synchronised').length;
  /** Networks of the server in the order of their ids. */
  const put = (count: number) =>
    Array.from({ length: count }, () => world.server.put(withPorts(1)).id).sort() as [string, ...string[]];

  it('serves all of them, and takes away only what is on no page', async () => {
    world.server.pageOf = 2;
    const ids = put(5);
    const gone = network().id;
    world.driver.left = [gone, ids[4] as string];
    await world.startAndSync();
    expect([...world.driver.serving.keys()].sort()).toEqual(ids);
    expect(world.driver.disabled).toEqual([gone]);
    expect(markers()).toEqual([undefined, ids[1], ids[3]]);
    expect(synchronised()).toBe(1);
  });

  it('works on a page while the next one is on its way', async () => {
    world.server.pageOf = 1;
    const [first, second] = put(2);
    const answer = Promise.withResolvers<void>();
    world.server.before = ({ args }) => (args.marker === first ? answer.promise : undefined);
    await world.start();
    await world.until(() => expect(world.driver.serving.has(first)).toBe(true));
    expect(synchronised()).toBe(0);
    answer.resolve();
    await world.until(() => expect([...world.driver.serving.keys()].sort()).toEqual([first, second]));
    await world.until(() => expect(synchronised()).toBe(1));
  });

  it('takes nothing away when a page does not come, and begins anew', async () => {
    world.server.pageOf = 1;
    const [first, second] = put(2);
    world.driver.left = [second as string];
    let failures = 0;
    world.server.before = ({ args }) => {
      if (args.marker === first && ++failures < 2) throw new Error('database is away');
    };
    await world.startAndSync();
    expect([...world.driver.serving.keys()].sort()).toEqual([first, second]);
    expect(world.driver.disabled).toEqual([]);
    expect(markers()).toEqual([undefined, first, undefined, first]);
  });

  it('does not bring back what was taken off the agent while later pages came', async () => {
    world.server.pageOf = 1;
    const [first, second] = put(2);
    const answer = Promise.withResolvers<void>();
    world.server.before = ({ args }) => (args.marker === first ? answer.promise : undefined);
    await world.start();
    await world.until(() => expect(world.driver.serving.has(first)).toBe(true));
    await world.notify('network_delete_end', { payload: { network_id: first, priority: 2 } });
    await world.until(() => expect(world.driver.serving.has(first)).toBe(false));
    answer.resolve();
    await world.until(() => expect(synchronised()).toBe(1));
    expect([...world.driver.serving.keys()]).toEqual([second]);
  });

  it('asks for all at once where an unknown argument is an error', async () => {
    const ids = put(2);
    world.server.before = ({ args }) => {
      if ('limit' in args) throw new TypeError("got an unexpected keyword argument 'limit'");
    };
    await world.startAndSync();
    expect([...world.driver.serving.keys()].sort()).toEqual(ids);
    expect(world.lines.filter((line) => line.level >= 40)).toEqual([]);
  });

  it('does not ask for ever for the same page', async () => {
    world.server.pageOf = 1;
    const [first] = put(2);
    // A server that forgets the marker.
    world.server.before = ({ args }) => {
      (args as { marker?: string }).marker = '';
    };
    await world.start();
    const failed = 'cannot synchronise networks; retrying until it succeeds';
    await world.until(() => expect(world.lines.map((line) => line.msg)).toContain(failed));
    expect([...world.driver.serving.keys()]).toEqual([first]);
  });
});

describe('telling which ports are ready', () => {
  it('names all ports of the first sync once, at most 64 a call', async () => {
    const net = world.server.put(withPorts(150));
    await world.startAndSync();
    await world.until(() => expect(world.server.ready()).toHaveLength(151));
    expect([...world.server.ready()].sort()).toEqual(
      [...net.ports.map((one) => one.id), world.server.dhcpPort(net.id)?.id].sort(),
    );
    expect(world.server.called('dhcp_ready_on_ports').every((args) => (args.port_ids as string[]).length <= 64)).toBe(
      true,
    );
    // Neutron's server takes no `host` here.
    expect(Object.keys(world.server.called('dhcp_ready_on_ports')[0] ?? {})).toEqual(['port_ids']);
  });

  it('comes only after they are served, and not when that failed', async () => {
    const net = world.server.put(withPorts(2));
    let fail = true;
    world.driver.before = () => {
      if (fail) throw new Error('disk full');
    };
    await world.start({ DEFAULT: { resync_interval: 1 } });
    await world.until(() => expect(world.driver.applied).toHaveLength(1));
    await world.settled();
    expect(world.server.ready()).toEqual([]);
    fail = false;
    await world.until(() =>
      expect([...world.server.ready()]).toEqual(expect.arrayContaining(net.ports.map((one) => one.id))),
    );
  });

  it('happens again after the server took the agent for dead', async () => {
    const net = world.server.put(withPorts(1));
    await world.startAndSync({ agent: { report_interval: 1 } });
    await world.until(() => expect(world.server.ready()).toHaveLength(2));
    world.server.reportAnswer = () => 'revived';
    await world.until(() => expect(world.server.ready().length).toBeGreaterThanOrEqual(4));
    expect(world.server.ready().filter((id) => id === net.ports[0]?.id).length).toBeGreaterThanOrEqual(2);
  });

  it('happens again after notifications were lost on their way', async () => {
    const net = world.server.put(withPorts(1));
    await world.startAndSync();
    await world.until(() => expect(world.server.ready()).toHaveLength(2));
    const port = withPorts(2).ports[1];
    if (!port) throw new Error('a port');
    world.server.put({ ...net, ports: [...net.ports, { ...port, network_id: net.id }] });
    world.loseNotifications();
    await world.until(() => expect(world.server.ready()).toContain(port.id));
  });
});

describe('the agent’s report', () => {
  it("has the form of stock Neutron's, with what is served counted", async () => {
    world.server.put(withPorts(2));
    await world.startAndSync({ agent: { report_interval: 1, availability_zone: 'az1' } });
    const counted = world.server.called('report_state').length;
    await world.until(() => expect(world.server.called('report_state').length).toBeGreaterThan(counted));
    type Report = { agent_state: { agent_state: { configurations: object } } };
    const reports = world.server.called('report_state') as unknown as Report[];
    const keys = (report: unknown) => {
      const state = (report as Report).agent_state.agent_state;
      return [Object.keys(state).sort(), Object.keys(state.configurations).sort()];
    };
    expect(keys(reports[0])).toEqual(keys(captured('report_state.DHCP_agent.start').args));
    expect(keys(reports.at(-1))).toEqual(keys(captured('report_state.DHCP_agent').args));
    expect(reports.at(-1)?.agent_state.agent_state).toMatchObject({
      binary: 'neutron-dhcp-agent',
      host: world.host,
      topic: 'dhcp_agent',
      agent_type: 'DHCP agent',
      availability_zone: 'az1',
      configurations: { dhcp_lease_duration: 86400, log_agent_heartbeats: false, networks: 1, subnets: 1, ports: 3 },
    });
  });
});

describe('later full syncs', () => {
  it('come when the server has taken the agent for dead, and find what was missed', async () => {
    const net = world.server.put(withPorts(1));
    await world.startAndSync({ agent: { report_interval: 1 } });
    const late = world.server.setPort(port(net.id));
    world.server.reportAnswer = () => 'revived';
    await world.until(() => expect(world.driver.ports(net.id)).toContainEqual(late));
  });

  it('come when reports are answered again after some were not', async () => {
    const net = world.server.put(withPorts(1));
    await world.startAndSync({ agent: { report_interval: 1 } });
    world.server.before = ({ method }) => {
      if (method === 'report_state') throw new Error('database is away');
    };
    const reports = world.server.called('report_state').length;
    await world.until(() => expect(world.server.called('report_state').length).toBeGreaterThan(reports));
    const late = world.server.setPort(port(net.id));
    world.server.before = () => undefined;
    await world.until(() => expect(world.driver.ports(net.id)).toContainEqual(late));
  });

  it('come when the agent is switched off and on: it serves what the server then gives it', async () => {
    const net = world.server.put(withPorts(1));
    await world.startAndSync();
    world.server.elsewhere.add(net.id);
    await world.notify('agent_updated', { payload: { admin_state_up: false } });
    await world.until(() => expect(world.server.called('release_dhcp_port')).toHaveLength(1));
    expect([world.driver.serving.size, world.devices.there.size]).toEqual([0, 0]);
    world.server.elsewhere.clear();
    await world.notify('agent_updated', { payload: { admin_state_up: true } });
    await world.until(() => expect(world.driver.ports(net.id)).toEqual(net.ports));
    expect(world.server.called('create_dhcp_port')).toHaveLength(2);
  });

  it('look whether each device is right, and serve everything again', async () => {
    const net = world.server.put(withPorts(1));
    await world.startAndSync();
    await world.notify('agent_updated', { payload: { admin_state_up: true } });
    await world.until(() => expect(world.devices.ensured).toHaveLength(2));
    await world.until(() => expect(world.driver.passes(net.id)).toHaveLength(2));
    expect(world.server.called('create_dhcp_port')).toHaveLength(1);
  });

  it('do not take away a network that became the agent’s after they asked, nor bring back one taken off it since', async () => {
    const [stays, taken] = [world.server.put(withPorts(1)), world.server.put(withPorts(1))];
    await world.startAndSync();
    const added = withPorts(1);
    const answer = Promise.withResolvers<void>();
    let asked = false;
    world.server.before = async ({ method }) => {
      if (method !== 'get_active_networks_info') return;
      asked = true;
      await answer.promise;
      // What the server read before the changes below.
      world.server.networks.delete(added.id);
      world.server.put(taken);
    };
    await world.notify('agent_updated', { payload: { admin_state_up: true } });
    await world.until(() => expect(asked).toBe(true));
    world.server.put(added);
    await world.notify('network_create_end', { payload: { network: { id: added.id }, priority: 0 } });
    await world.notify('network_delete_end', { payload: { network_id: taken.id, priority: 2 } });
    await world.until(() => expect([...world.driver.serving.keys()].sort()).toEqual([stays.id, added.id].sort()));
    answer.resolve();
    await world.until(() => expect(world.driver.passes(stays.id)).toHaveLength(2));
    await world.settled();
    expect([...world.driver.serving.keys()].sort()).toEqual([stays.id, added.id].sort());
  });
});

describe('the end of the agent', () => {
  it('leaves DHCP servers, devices and ports as they are, and listens no more', async () => {
    const net = world.server.put(withPorts(1));
    await world.startAndSync();
    const calls = world.server.calls.length;
    await world.stop();
    await world.notify('port_create_end', { payload: { port: world.server.setPort(port(net.id)) } });
    world.driver.die(net.id);
    await world.settled();
    expect(world.driver.disabled).toEqual([]);
    expect(world.devices.removed).toEqual([]);
    expect(world.driver.passes(net.id)).toHaveLength(1);
    expect(world.server.calls.slice(calls).filter((call) => call.method !== 'dhcp_ready_on_ports')).toEqual([]);
  });

  it('waits for the pass that runs', async () => {
    world.server.put(withPorts(1));
    const gate = Promise.withResolvers<void>();
    world.driver.before = () => gate.promise;
    await world.start();
    await world.until(() => expect(world.driver.applied).toHaveLength(1));
    let stopped = false;
    const stopping = world.stop().then(() => {
      stopped = true;
    });
    await world.settled();
    expect(stopped).toBe(false);
    gate.resolve();
    await stopping;
  });

  it('is followed by a start that adopts what there is', async () => {
    const net = world.server.put(withPorts(2));
    await world.startAndSync();
    await world.stop();
    const own = world.server.dhcpPort(net.id);
    await world.start();
    await world.until(() => expect(world.driver.passes(net.id)).toHaveLength(2));
    expect(world.server.dhcpPort(net.id)).toEqual(own);
    expect(world.driver.disabled).toEqual([]);
    expect(world.devices.ensured[1]).toEqual(world.devices.ensured[0]);
    // The new one hears everything: the old one has left the queue.
    const more = Array.from({ length: 5 }, () => world.server.setPort(port(net.id)));
    for (const one of more) await world.notify('port_create_end', { payload: { port: one } });
    await world.until(() => expect(world.driver.ports(net.id)).toEqual(expect.arrayContaining(more)));
  });
});
