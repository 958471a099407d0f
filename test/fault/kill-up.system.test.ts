import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../../src/time/wait.ts';
import { chanceOf } from './chance.ts';
import { settle } from './deployment/settle.ts';
import { startUpOnHost, type UpOnHost } from './deployment/up-on-host.ts';
import { expectRoomForAll } from './load/crowd.ts';
import type { Resource } from './load/ledger.ts';
import { Ledger } from './load/ledger.ts';
import { Load } from './load/load.ts';
import { faultSettings, printSeed } from './settings.ts';

const settings = faultSettings(3);
const SETTLE_MS = 60_000;
const CLIENTS = 6;
/** Maximum lifetime of a process before it is killed. */
const LIFE_MS = 2_500;
/** The most recently started one, usually that of a network that is being created or updated. */
const KILL_A_DNSMASQ = 'kill -9 $(grep -lsx dnsmasq /proc/[0-9]*/comm | cut -d/ -f3 | sort -n | tail -n 1)';

describe.skipIf(process.getuid?.() !== 0)('neutrino up on SQLite (needs root)', () => {
  let up: UpOnHost;
  beforeAll(async () => {
    up = await startUpOnHost('fault-up');
  });
  afterAll(() => up?.dispose());

  test('killed at random times under load: no acknowledged change is lost, and API, database and files agree', {
    timeout: 120_000 + settings.rounds * 30_000,
  }, async () => {
    printSeed('neutrino up killed', settings);
    const { neutrino, api, host, guests, shared, statePath } = up;
    /** Whether each network with a machine has a running dnsmasq, which is not a zombie. */
    const allServed = async () => {
      const looks = shared.map(({ id }) => `look "$(cat ${statePath}/dhcp/${id}/pid)"`).join(' && ');
      const look = "look() { grep -q '^State:[[:space:]]*[RSD]' /proc/$1/status; }";
      return (await host.tryRun('sh', '-c', `${look}; ${looks}`)).exitCode === 0 || undefined;
    };
    // One that this test has killed is only restarted by Neutrino.
    let excused = false;
    const chance = chanceOf(settings.seed);
    const ledger = new Ledger();
    const load = new Load({
      clients: CLIENTS,
      chance: chance.branch(),
      ledger,
      urls: [api.url],
      hosts: [host.name],
      shared,
      mayFail: () => false,
    });
    let there: ReadonlyMap<string, Resource> = new Map();
    for (let round = 1; round <= settings.rounds; ) {
      load.start(there);
      const until = Math.min(settings.rounds, round + chance.whole(0, 3));
      for (; round <= until; round++) {
        await pause(chance.real() * LIFE_MS);
        await neutrino.kill();
        if (chance.real() < 0.2) {
          if (!excused) await waitFor('all networks served while Neutrino is dead', allServed, { timeoutMs: 15_000 });
          if (await allServed()) await guests.renew();
        }
        if (chance.real() < 0.3) {
          await host.tryRun('sh', '-c', KILL_A_DNSMASQ);
          excused = true;
        }
        await neutrino.start();
      }
      await api.awaitAnswer();
      await load.stop();
      const when = `kill ${round - 1} of ${settings.rounds} (seed ${settings.seed})`;
      there = ledger.settle(await settle(up.facts, ledger, { timeoutMs: SETTLE_MS, when }));
      await guests.renew();
      excused = false;
    }
    console.log(`neutrino up killed: ${ledger.answers()}`);
    expect(load.surprises()).toEqual([]);
  });

  test('many simultaneous clients: every address of a /24 once, then clean rejections; 250 ports at once', async () => {
    const served = (id: string) => async () => (await up.api.ports(`network_id=${id}`)).length > 0 || undefined;
    await expectRoomForAll([up.api], async (id) => {
      await waitFor('the DHCP port', served(id), { timeoutMs: 30_000 });
    });
    await settle(up.facts, new Ledger(), { timeoutMs: SETTLE_MS, when: 'after the crowd' });
  });
});
