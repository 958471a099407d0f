import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../../src/lab/wait.ts';
import { chanceOf } from './chance.ts';
import { FAULTS, faultsToCome } from './cluster-faults.ts';
import { expectRoomForAll } from './load/crowd.ts';
import { Ledger, type Resource } from './load/ledger.ts';
import { Load } from './load/load.ts';
import { faultSettings, tellSeed } from './settings.ts';
import { CastTap } from './world/cast-tap.ts';
import { type ClusterWorld, startClusterWorld } from './world/cluster-world.ts';
import { awaitApi } from './world/neutrino-on-host.ts';
import { settle } from './world/settle.ts';

const settings = faultSettings(4);
const SETTLE_MS = 90_000;
const CLIENTS = 6;
/** The longest pause between two faults. */
const CALM_MS = 1_500;

describe.skipIf(process.getuid?.() !== 0)('servers and agents over RabbitMQ and MariaDB (needs root)', () => {
  let world: ClusterWorld;
  beforeAll(async () => {
    world = await startClusterWorld();
  }, 300_000);
  afterAll(() => world?.dispose());

  test('whatever breaks under load: nothing that was answered is undone, API, database and files agree', {
    timeout: 180_000 + settings.rounds * 60_000,
  }, async () => {
    tellSeed('cluster', settings);
    const { servers, agents, guests, shared } = world;
    const chance = chanceOf(settings.seed);
    const faults = faultsToCome(
      FAULTS.filter(({ name }) => settings.only.test(name)),
      chance.branch(),
    );
    const ledger = new Ledger();
    const tap = new CastTap(
      world.rabbit,
      agents.map(({ host }) => host.name),
    );
    await tap.listen();
    const load = new Load({
      clients: CLIENTS,
      chance: chance.branch(),
      ledger,
      urls: servers.map(({ api }) => api.url),
      hosts: agents.map(({ host }) => host.name),
      shared,
      // A server that lost its database, or the way to it, says so.
      mayFail: (status) => status === 503,
    });
    let there: ReadonlyMap<string, Resource> = new Map();
    try {
      for (let round = 1; round <= settings.rounds; ) {
        load.start(there);
        const brought: string[] = [];
        const until = Math.min(settings.rounds, round + chance.whole(0, 3));
        for (; round <= until; round++) {
          await pause(chance.real() * CALM_MS);
          const fault = faults.next().value;
          brought.push(fault.name);
          await fault.bring(world, chance, tap);
        }
        for (const { api } of servers) await awaitApi(api.url);
        await load.stop();
        const when = `fault ${round - 1} of ${settings.rounds} (seed ${settings.seed}): ${brought.join(', ')}`;
        const began = performance.now();
        const shown = await settle(() => world.facts(chance.of(servers)), ledger, { timeoutMs: SETTLE_MS, when });
        console.log(`${when}; settled in ${Math.round(performance.now() - began)} ms`);
        there = ledger.settle(shown);
        await guests.renew();
      }
    } finally {
      await load.stop();
      await tap.close();
    }
    console.log(`cluster: ${ledger.answers()}`);
    expect(load.surprises()).toEqual([]);
  });

  test('has room for a crowd: every address of a /24 once and then clean refusals, 250 ports at once', async () => {
    const [server] = world.servers;
    const served = (id: string) => async () => (await server?.api.ports(`network_id=${id}`))?.length || undefined;
    await expectRoomForAll(
      world.servers.map(({ api }) => api),
      async (id) => {
        await waitFor('the DHCP port', served(id), { timeoutMs: 30_000 });
      },
    );
    await settle(() => world.facts(), new Ledger(), { timeoutMs: SETTLE_MS, when: 'after the crowd' });
  });
});
