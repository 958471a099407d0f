import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSqlite } from '../../src/db/sqlite/open.ts';
import type { PortDocument } from '../../src/rpc/documents.ts';
import { ApiClient } from '../interop/api-client.ts';
import { type HostGuest, startTestHost, type TestHost } from '../interop/hosts/test-host.ts';
import { makeUnderlay, type Underlay } from '../interop/hosts/underlay.ts';
import type { Facts } from './agreement/facts.ts';
import { chanceOf } from './chance.ts';
import type { SharedNetwork } from './load/client.ts';
import { Ledger } from './load/ledger.ts';
import { Load } from './load/load.ts';
import { faultSettings, tellSeed } from './settings.ts';
import { readApi } from './witnesses/api.ts';
import { readDatabase } from './witnesses/database.ts';
import { readHost } from './witnesses/host.ts';
import { awaitApi, type NeutrinoOnHost, neutrinoOnHost } from './world/neutrino-on-host.ts';
import { settle } from './world/settle.ts';

const settings = faultSettings(6);
const LEASE_MS = 30_000;
const SETTLE_MS = 60_000;
const CLIENTS = 6;
/** The longest time that a process lives before it is killed. */
const LIFE_MS = 2_500;
/** The last one that was started: mostly that of a network which is just being made or has been changed. */
const KILL_A_DNSMASQ = 'kill -9 $(grep -lsx dnsmasq /proc/[0-9]*/comm | cut -d/ -f3 | sort -n | tail -n 1)';

describe.skipIf(process.getuid?.() !== 0)('neutrino up, killed at random moments (needs root)', () => {
  let underlay: Underlay;
  let host: TestHost;
  let neutrino: NeutrinoOnHost;
  let api: ApiClient;
  const folder = mkdtempSync(join(tmpdir(), 'neutrino-fault-up-'));
  const statePath = join(folder, 'state');
  const guests: { readonly port: PortDocument; readonly guest: HostGuest }[] = [];
  const shared: SharedNetwork[] = [];

  beforeAll(async () => {
    tellSeed('neutrino up killed', settings);
    underlay = await makeUnderlay();
    host = await startTestHost('fault-up', underlay);
    const place = ['--state-path', statePath, '--host', host.name, '--bind-host', host.address];
    neutrino = neutrinoOnHost(host, ['up', ...place], join(folder, 'up.log'));
    api = new ApiClient(`http://${host.address}:9696`);
    await neutrino.start();
    await awaitApi(api.url);
    await api.awaitAgent(host.name, 'DHCP agent');
    for (const prefix of ['192.168.1', '192.168.2']) {
      const id = await api.network();
      shared.push({ id, subnetId: await api.subnet(id, `${prefix}.0/24`), prefix });
      const port = await api.machinePort(id, host.name);
      const guest = await host.guest(port);
      guests.push({ port, guest });
      await guest.lease('eth0', LEASE_MS);
    }
  });
  afterAll(async () => {
    for (const { guest } of guests) await guest.stop().catch(() => undefined);
    await host?.dispose();
    await underlay?.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  async function facts(): Promise<Facts> {
    const db = openSqlite({ path: join(statePath, 'neutrino.sqlite') });
    try {
      const machines = guests.map(({ port }) => port);
      const [shown, database, here] = [
        await readApi(api.url),
        await readDatabase(db),
        await readHost(host, statePath, machines),
      ];
      return { api: shown, database, hosts: [here], agentsPerNetwork: 1 };
    } finally {
      await db.close();
    }
  }

  async function guestsKeepTheirAddresses(): Promise<void> {
    for (const { port, guest } of guests) {
      const { address } = await guest.renew('eth0', LEASE_MS);
      expect(address).toBe(port.fixed_ips[0]?.ip_address);
    }
  }

  test('nothing that was answered is undone, and API, database and files agree', {
    timeout: 120_000 + settings.rounds * 30_000,
  }, async () => {
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
    let there: ReadonlyMap<string, never> | ReturnType<Ledger['settle']> = new Map();
    for (let round = 1; round <= settings.rounds; ) {
      load.start(there);
      const until = Math.min(settings.rounds, round + chance.whole(0, 3));
      for (; round <= until; round++) {
        await pause(chance.real() * LIFE_MS);
        await neutrino.kill();
        if (chance.real() < 0.2) await guestsKeepTheirAddresses();
        if (chance.real() < 0.3) await host.tryRun('sh', '-c', KILL_A_DNSMASQ);
        await neutrino.start();
      }
      await awaitApi(api.url);
      await load.stop();
      const when = `kill ${round - 1} of ${settings.rounds} (seed ${settings.seed})`;
      there = ledger.settle(await settle(facts, ledger, { timeoutMs: SETTLE_MS, when }));
      await guestsKeepTheirAddresses();
    }
    console.log(`neutrino up killed: ${ledger.answers()}`);
    expect(load.surprises()).toEqual([]);
  });
});
