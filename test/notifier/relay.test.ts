import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Trx } from '../../src/db/database.ts';
import { soleClaim } from '../../src/notifier/claim.ts';
import { startRelay } from '../../src/notifier/relay.ts';
import { sharedClaim } from '../../src/notifier/shared-claim.ts';
import { enqueueNotification } from '../../src/plugin/events.ts';
import { subnetDocuments } from '../../src/plugin/subnets/documents.ts';
import type { RpcTransport } from '../../src/rpc/contract.ts';
import { EVENTS } from '../../src/rpc/events.ts';
import { createMemoryTransport } from '../../src/rpc/memory/transport.ts';
import { DHCP_AGENTS } from '../../src/scheduler/agent-kinds.ts';
import { bind } from '../../src/scheduler/bindings.ts';
import { type ConfigChanges, createWorld, type World } from '../plugin/world.ts';

interface Heard {
  readonly host: string;
  readonly method: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

let world: World;
let transport: RpcTransport;
let heard: Heard[];
let waiting: { readonly count: number; readonly resolve: () => void }[];
let closing: (() => Promise<void>)[];

const begin = async (changes: ConfigChanges = {}) => {
  world = await createWorld(changes);
  transport = createMemoryTransport({ log: pino({ level: 'silent' }) });
  heard = [];
  waiting = [];
  closing = [];
};
const end = async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await transport.close();
  await world.close();
};
beforeEach(() => begin());
afterEach(end);

const hear = (host: string, method: string, payload: unknown) => {
  heard.push({ host, method, payload: payload as Heard['payload'] });
  waiting = waiting.filter(({ count, resolve }) => heard.length < count || resolve());
};
const METHODS = ['network', 'subnet', 'port'].flatMap((r) =>
  ['create', 'update', 'delete'].map((v) => `${r}_${v}_end`),
);

/** A DHCP agent that only writes down what it hears. */
async function listen(host: string): Promise<void> {
  const methods = Object.fromEntries(
    [...METHODS, 'agent_updated'].map((method) => [
      method,
      (args: Readonly<Record<string, unknown>>) => hear(host, method, args.payload),
    ]),
  );
  const served = await transport.serve('dhcp_agent', host, { version: '1.0', methods });
  closing.push(() => served.close());
}

function relay(over: RpcTransport = transport): { close(): Promise<void> } {
  const running = startRelay({ core: world.core, transport: over });
  closing.push(() => running.close());
  return running;
}

/** Enqueues that a port is gone, for the DHCP agents of its network. */
const portDeleted = (trx: Trx, network: string, port: number) =>
  enqueueNotification(
    trx,
    EVENTS.port_delete_end,
    { port_id: `${port}`, network_id: network, fixed_ips: [] },
    { network },
  );
/** Enqueues that a port is gone, for all L2 agents. */
const deviceDeleted = (trx: Trx, network: string, port_id: string) =>
  enqueueNotification(trx, EVENTS.port_delete, { port_id }, { network });

/** Resolves when so many messages were heard in all. */
const until = (count: number): Promise<void> =>
  heard.length >= count ? Promise.resolve() : new Promise((resolve) => waiting.push({ count, resolve }));
const story = () => heard.map(({ host, method }) => `${host} ${method}`);
const left = async () =>
  (await world.core.db.kysely.selectFrom('outbox').select('id').execute()).map((row) => Number(row.id));

describe('the relay', () => {
  it('schedules a network with its first DHCP subnet, and notifies the agent of the network before the subnet', async () => {
    await world.dhcpAgent('h1');
    await listen('h1');
    relay();
    const network = await world.network();
    await world.subnet(network, '10.0.0.0/24');
    await until(2);
    expect(heard).toEqual([
      { host: 'h1', method: 'network_create_end', payload: { network: { id: network }, priority: 0 } },
      {
        host: 'h1',
        method: 'subnet_create_end',
        payload: { subnet: expect.objectContaining({ network_id: network, cidr: '10.0.0.0/24' }), priority: 3 },
      },
    ]);
  });

  it('notifies the agents of a network of the life of its ports, and all agents of the end of the network', async () => {
    await world.dhcpAgent('h1');
    await listen('h1');
    await listen('h2');
    relay();
    const network = await world.network();
    await world.subnet(network, '10.0.0.0/24');
    const port = await world.port(network);
    await world.updatePort(port.id, { name: 'renamed' });
    await world.updatePort(port.id, { extra_dhcp_opts: [{ opt_name: 'mtu', opt_value: '1400' }] });
    await world.deletePort(port.id);
    await until(5);
    await world.deleteNetwork(network);
    await until(7);
    const told = ['network_create_end', 'subnet_create_end', 'port_create_end', 'port_update_end', 'port_delete_end'];
    expect(story().slice(0, 5)).toEqual(told.map((method) => `h1 ${method}`));
    expect(story().slice(5).sort()).toEqual(['h1 network_delete_end', 'h2 network_delete_end']);
    expect(heard.slice(2).map(({ payload }) => payload.priority)).toEqual([5, 6, 6, 2, 2]);
    expect(heard[4]?.payload).toEqual({
      port_id: port.id,
      network_id: network,
      fixed_ips: port.fixed_ips,
      priority: 6,
    });
    await expect.poll(left).toEqual([]);
  });

  it('publishes what was committed before it started', async () => {
    await world.dhcpAgent('h1');
    await listen('h1');
    const network = await world.network();
    await world.subnet(network, '10.0.0.0/24');
    relay();
    await until(2);
    expect(story()).toEqual(['h1 network_create_end', 'h1 subnet_create_end']);
  });

  it('schedules a network when DHCP is switched on, and with the first port when no agent was alive before', async () => {
    await listen('h1');
    relay();
    const [early, late] = [await world.network(), await world.network()];
    await world.subnet(early, '10.0.0.0/24');
    const subnet = await world.subnet(late, '10.1.0.0/24', { enable_dhcp: false });
    await expect.poll(left).toEqual([]);
    await world.dhcpAgent('h1');
    await world.port(early);
    await until(2);
    expect(story()).toEqual(['h1 network_create_end', 'h1 port_create_end']);
    await world.core.db.kysely.updateTable('subnets').set({ enable_dhcp: 1 }).where('id', '=', subnet).execute();
    const document = (await subnetDocuments(world.core.db.kysely, [subnet])).get(subnet);
    if (!document) throw new Error('the subnet has no document');
    await world.transaction((trx) =>
      enqueueNotification(trx, EVENTS.subnet_update_end, { subnet: document }, { network: late }),
    );
    await until(4);
    expect(story().slice(2)).toEqual(['h1 network_create_end', 'h1 subnet_update_end']);
  });

  it('does not reschedule a network that was taken off its agent when a port changes', async () => {
    await world.dhcpAgent('h1');
    await listen('h1');
    const network = await world.network();
    await world.subnet(network, '10.0.0.0/24');
    const port = await world.port(network);
    await world.outbox();
    await world.updatePort(port.id, { extra_dhcp_opts: [{ opt_name: 'mtu', opt_value: '1400' }] });
    expect((await world.core.db.kysely.selectFrom('outbox').select('method').execute()).length).toBe(1);
    relay();
    await expect.poll(left).toEqual([]);
    expect(await world.core.db.kysely.selectFrom('networkdhcpagentbindings').selectAll().execute()).toEqual([]);
    expect(heard).toEqual([]);
  });

  it('notifies both agents of a network that has two, one of them more urgently', async () => {
    await end();
    await begin({ DEFAULT: { dhcp_agents_per_network: 2 } });
    for (const host of ['h1', 'h2']) {
      await world.dhcpAgent(host);
      await listen(host);
    }
    const network = await world.network();
    await world.subnet(network, '10.0.0.0/24');
    relay();
    await until(4);
    await world.port(network);
    await until(6);
    expect(
      heard
        .slice(4)
        .map(({ payload }) => payload.priority)
        .sort(),
    ).toEqual([5, 6]);
  });

  it('keeps the order of one network and loses nothing when the transport refuses messages for a while', async () => {
    const agent = await world.dhcpAgent('h1');
    await listen('h1');
    const [bad, good] = [await world.network(), await world.network()];
    await world.transaction(async (trx) => {
      for (const network of [bad, good]) await bind(trx, DHCP_AGENTS, network, agent);
      for (let n = 0; n < 5; n += 1) for (const network of [bad, good]) await portDeleted(trx, network, n);
    });
    let refusals = 3;
    const flaky: RpcTransport = {
      ...transport,
      cast: async (target, method, args, options) => {
        const { port_id, network_id } = (args as { payload: Record<string, unknown> }).payload;
        if (network_id === bad && port_id === '2' && refusals-- > 0) throw new Error('not now');
        await transport.cast(target, method, args, options);
      },
    };
    relay(flaky);
    await expect.poll(left, { timeout: 10_000 }).toEqual([]);
    const ports = (network: string) =>
      heard.filter(({ payload }) => payload.network_id === network).map(({ payload }) => Number(payload.port_id));
    expect(ports(good)).toEqual([0, 1, 2, 3, 4]);
    // Told at least once, and from the failure on in order at last.
    expect(ports(bad).slice(0, 2)).toEqual([0, 1]);
    expect(ports(bad).slice(-3)).toEqual([2, 3, 4]);
  });

  it('enqueues the notification of a new binding with the binding, so that it is sent although the process dies before', async () => {
    await world.dhcpAgent('h1');
    const network = await world.network();
    await world.subnet(network, '10.0.0.0/24');
    const { promise: tried, resolve } = Promise.withResolvers<void>();
    const dead: RpcTransport = {
      ...transport,
      cast: async () => {
        resolve();
        throw new Error('the broker is away');
      },
    };
    const first = relay(dead);
    await tried;
    await first.close();
    expect((await world.core.db.kysely.selectFrom('networkdhcpagentbindings').selectAll().execute()).length).toBe(1);
    await listen('h1');
    relay();
    await until(2);
    expect(story().sort()).toEqual(['h1 network_create_end', 'h1 subnet_create_end']);
  });

  it('publishes everything when a transport that was down for all networks is back', async () => {
    let away = true;
    const deleted: unknown[] = [];
    const { promise: all, resolve } = Promise.withResolvers<void>();
    const { promise: triedAgain, resolve: tried } = Promise.withResolvers<void>();
    let refusals = 0;
    const flaky: RpcTransport = {
      ...transport,
      cast: async (_target, _method, { port_id }) => {
        if (away && ++refusals === 800) tried();
        if (away) throw new Error('the broker is away');
        if (deleted.push(port_id) === 1_300) resolve();
      },
    };
    await world.transaction(async (trx) => {
      for (let n = 0; n < 1_300; n += 1) await deviceDeleted(trx, `network-${n}`, `${n}`);
    });
    relay(flaky);
    await triedAgain;
    expect(await left()).toHaveLength(1_300);
    away = false;
    await all;
    await expect.poll(left).toEqual([]);
    expect(new Set(deleted).size).toBe(1_300);
  });

  it('logs which network is scheduled to which host, or that none can serve it, by id and name', async () => {
    const lines: Record<string, unknown>[] = [];
    const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) });
    const running = startRelay({ core: { ...world.core, log }, transport });
    closing.push(() => running.close());
    const network = await world.network({ name: 'blue' });
    await world.subnet(network, '10.0.0.0/24');
    await expect.poll(left).toEqual([]);
    await world.dhcpAgent('h1');
    await listen('h1');
    await world.port(network);
    await until(2);
    expect(lines).toMatchObject([
      { network, name: 'blue', msg: 'no DHCP agent can serve the network; it gets one when one reports' },
      { networks: [`${network} (blue) on h1`], msg: 'networks scheduled' },
    ]);
  });

  it('is not blocked by an event that is not JSON or not in the catalogue', async () => {
    const agent = await world.dhcpAgent('h1');
    await listen('h1');
    const network = await world.network();
    const row = { ordering_key: network, created_at: '2026-01-01 00:00:00' };
    await world.core.db.kysely
      .insertInto('outbox')
      .values([
        { ...row, method: 'port_update_end', payload: '{' },
        { ...row, method: 'unheard_of', payload: '{}' },
        { ...row, method: 'port_delete_end', payload: '{"port_id":"p"}' },
      ])
      .execute();
    await world.transaction((trx) => bind(trx, DHCP_AGENTS, network, agent));
    relay();
    await until(1);
    expect(story()).toEqual(['h1 port_delete_end']);
    await expect.poll(left).toEqual([]);
  });

  it('notifies DHCP agents only of their own affairs when dhcp_agent_notification is off', async () => {
    await end();
    await begin({ DEFAULT: { dhcp_agent_notification: false } });
    await world.dhcpAgent('h1');
    await listen('h1');
    relay();
    const network = await world.network();
    await world.subnet(network, '10.0.0.0/24');
    await world.transaction((trx) =>
      enqueueNotification(trx, EVENTS.network_removed_from_agent, { network_id: network }, { network, host: 'h1' }),
    );
    await until(1);
    expect(story()).toEqual(['h1 network_delete_end']);
    await expect.poll(left).toEqual([]);
  });

  it('continues after a failure of the database', async () => {
    await world.dhcpAgent('h1');
    await listen('h1');
    const claim = soleClaim(world.core.db.kysely);
    let failures = 1;
    const running = startRelay({
      core: world.core,
      transport,
      claim: {
        ...claim,
        next: async (most, except) => {
          if (failures-- > 0) throw new Error('the database is away');
          return claim.next(most, except);
        },
      },
    });
    closing.push(() => running.close());
    const network = await world.network();
    await world.subnet(network, '10.0.0.0/24');
    await until(2);
  });

  it('does not publish again when the database fails after an event was published', async () => {
    const agent = await world.dhcpAgent('h1');
    await listen('h1');
    const network = await world.network();
    await world.transaction((trx) => bind(trx, DHCP_AGENTS, network, agent));
    await world.outbox();
    const claim = soleClaim(world.core.db.kysely);
    let failures = 1;
    const running = startRelay({
      core: world.core,
      transport,
      claim: {
        ...claim,
        done: async (ids, subjects) => {
          if (ids.length > 0 && failures-- > 0) throw new Error('the database is away');
          await claim.done(ids, subjects);
        },
      },
    });
    closing.push(() => running.close());
    await world.transaction((trx) => portDeleted(trx, network, 0));
    await until(1);
    expect(await left()).toHaveLength(1);
    await expect.poll(left, { timeout: 20_000 }).toEqual([]);
    expect(story()).toEqual(['h1 port_delete_end']);
  });

  it('does not delay other networks when the agents of one cannot be reached', async () => {
    const agent = await world.dhcpAgent('h1');
    await listen('h1');
    const [slow, fast] = [await world.network(), await world.network()];
    await world.transaction(async (trx) => {
      for (const network of [slow, fast]) await bind(trx, DHCP_AGENTS, network, agent);
    });
    const tell = (network: string, port: number) => world.transaction((trx) => portDeleted(trx, network, port));
    const { promise: reachable, resolve: reach } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    relay({
      ...transport,
      cast: async (target, method, args, options) => {
        if ((args as { payload: { network_id: string } }).payload.network_id === slow) {
          begin();
          await reachable;
        }
        await transport.cast(target, method, args, options);
      },
    });
    await world.outbox();
    await tell(slow, 1);
    await begun;
    for (let n = 2; n < 5; n += 1) {
      await tell(slow, n);
      await tell(fast, n);
      await until(n - 1);
    }
    await expect.poll(left).toHaveLength(4);
    reach();
    await until(7);
    await expect.poll(left).toEqual([]);
    expect(heard.map(({ payload }) => [payload.network_id, Number(payload.port_id)])).toEqual([
      ...[2, 3, 4].map((n) => [fast, n]),
      ...[1, 2, 3, 4].map((n) => [slow, n]),
    ]);
  });

  it('leaves unfinished events to other servers when it closes', async () => {
    await world.network();
    await world.outbox();
    await world.transaction((trx) => deviceDeleted(trx, 'network', 'p'));
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const stuck: RpcTransport = {
      ...transport,
      cast: async () => {
        begin();
        await new Promise(() => {});
      },
    };
    const running = startRelay({ core: world.core, transport: stuck, claim: sharedClaim(world.core.db) });
    await begun;
    const works = () => world.core.db.kysely.selectFrom('workclaims').select('work').execute();
    expect(await works()).toEqual([{ work: 'network' }]);
    await running.close();
    expect(await works()).toEqual([]);
    expect(await left()).toHaveLength(1);
  });

  it('publishes what is committed before it closes', async () => {
    const agent = await world.dhcpAgent('h1');
    await listen('h1');
    const network = await world.network();
    await world.transaction((trx) => bind(trx, DHCP_AGENTS, network, agent));
    const running = relay();
    await world.transaction(async (trx) => {
      for (let n = 0; n < 1_200; n += 1) await portDeleted(trx, network, n);
    });
    await running.close();
    expect(await left()).toEqual([]);
    await until(1_200);
    expect(heard.map(({ payload }) => Number(payload.port_id))).toEqual(Array.from({ length: 1_200 }, (_, n) => n));
  });

  it('publishes nothing after it was closed', async () => {
    await world.dhcpAgent('h1');
    await relay().close();
    const network = await world.network();
    await world.subnet(network, '10.0.0.0/24');
    expect(await left()).not.toEqual([]);
  });
});
