import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../../src/time/wait.ts';
import type { Ini } from '../support/ini.ts';
import { chanceOf } from './chance.ts';
import { FAILOVERS, FAULTS, type Fault, faultsToCome } from './cluster-faults.ts';
import { CastTap } from './deployment/cast-tap.ts';
import { type FaultCluster, startFaultCluster } from './deployment/cluster.ts';
import { settle } from './deployment/settle.ts';
import { expectRoomForAll } from './load/crowd.ts';
import { Ledger, type Resource } from './load/ledger.ts';
import { Load } from './load/load.ts';
import { type FaultSettings, faultSettings, printSeed } from './settings.ts';

const SETTLE_MS = 90_000;
const START_MS = 300_000;
const CLIENTS = 6;
/** Maximum pause between two faults. */
const CALM_MS = 1_500;

const settings = faultSettings(3);
const needsRoot = process.getuid?.() !== 0;

/** A cluster for the tests of this file. */
function clusterOf(more: Ini = {}): () => FaultCluster {
  let cluster: FaultCluster | undefined;
  beforeAll(async () => {
    cluster = await startFaultCluster(more);
  }, START_MS);
  afterAll(() => cluster?.dispose());
  return () => {
    if (!cluster) throw new Error('the cluster has not started');
    return cluster;
  };
}

/** Injects faults while clients are active; expects that all sources agree after each pause. */
async function expectEndurance(cluster: FaultCluster, all: readonly Fault[], { seed, rounds, only }: FaultSettings) {
  const { servers, agents, guests, shared, rabbit } = cluster;
  const chance = chanceOf(seed);
  const faults = faultsToCome(
    all.filter(({ name }) => only.test(name)),
    chance.branch(),
  );
  const hosts = agents.map(({ host }) => host.name);
  const ledger = new Ledger();
  const tap = new CastTap(rabbit);
  await tap.listen();
  const load = new Load({
    clients: CLIENTS,
    chance: chance.branch(),
    ledger,
    urls: servers.map(({ api }) => api.url),
    hosts,
    shared,
    // A server that lost its database or the connection to it returns 503.
    mayFail: (status) => status === 503,
  });
  let there: ReadonlyMap<string, Resource> = new Map();
  try {
    for (let round = 1; round <= rounds; ) {
      load.start(there);
      const brought: string[] = [];
      const until = Math.min(rounds, round + chance.whole(0, 3));
      for (; round <= until; round++) {
        await pause(chance.real() * CALM_MS);
        const fault = faults.next().value;
        brought.push(fault.name);
        await fault.bring(cluster, chance, tap);
      }
      for (const { api } of servers) await api.awaitAnswer();
      await load.stop();
      const when = `fault ${round - 1} of ${rounds} (seed ${seed}): ${brought.join(', ')}`;
      const facts = () => cluster.facts(chance.of(servers));
      there = ledger.settle(await settle(facts, ledger, { timeoutMs: SETTLE_MS, when }));
      await guests.renew();
    }
  } catch (error) {
    console.log(cluster.lastWords());
    throw error;
  } finally {
    await load.stop();
    await tap.close();
  }
  console.log(`answers: ${ledger.answers()}`);
  expect(load.surprises()).toEqual([]);
}

describe.skipIf(needsRoot)('servers and agents over RabbitMQ and MariaDB (needs root)', () => {
  const cluster = clusterOf();

  test('whatever fails under load: no acknowledged change is lost, and API, database and files agree', {
    timeout: 180_000 + settings.rounds * 60_000,
  }, async () => {
    printSeed('cluster', settings);
    await expectEndurance(cluster(), FAULTS, settings);
  });

  test('many simultaneous clients: every address of a /24 once, then clean rejections; 250 ports at once', async () => {
    const { servers, facts } = cluster();
    const served = (id: string) => async () => (await servers[0]?.api.ports(`network_id=${id}`))?.length || undefined;
    const apis = servers.map(({ api }) => api);
    await expectRoomForAll(apis, async (id) => {
      await waitFor('the DHCP port', served(id), { timeoutMs: 30_000 });
    });
    await settle(facts, new Ledger(), { timeoutMs: SETTLE_MS, when: 'after the crowd' });
  });
});

describe.skipIf(needsRoot || !settings.long)(
  'servers and agents with a short agent_down_time (needs root; NEUTRINO_FAULT_ROUNDS, because it takes minutes)',
  () => {
    const cluster = clusterOf({ DEFAULT: { agent_down_time: 6 }, agent: { report_interval: 2 } });

    test('networks move back and forth: no acknowledged change is lost, and API, database and files agree', {
      timeout: 180_000 + settings.rounds * 120_000,
    }, async () => {
      printSeed('failover', settings);
      await expectEndurance(cluster(), [...FAULTS, ...FAILOVERS], settings);
    });
  },
);
