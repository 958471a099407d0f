import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openSqlite } from '../../../src/db/sqlite/open.ts';
import { ApiClient } from '../../support/api-client.ts';
import type { TestHost } from '../../support/hosts/test-host.ts';
import type { NeutrinoProcess } from '../../support/neutrino.ts';
import { makeHosts } from '../../support/site.ts';
import type { Facts } from '../agreement/facts.ts';
import type { SharedNetwork } from '../load/client.ts';
import { readApi } from '../witnesses/api.ts';
import { readDatabase } from '../witnesses/database.ts';
import { readHost } from '../witnesses/host.ts';
import { Guests } from './guests.ts';

/** `neutrino up` on a separate host, with machines. */
export interface UpOnHost {
  readonly host: TestHost;
  readonly neutrino: NeutrinoProcess;
  readonly api: ApiClient;
  readonly statePath: string;
  readonly guests: Guests;
  /** Networks with one machine each. */
  readonly shared: readonly SharedNetwork[];
  facts(): Promise<Facts>;
  dispose(): Promise<void>;
}

/**
 * Starts one; resolves when its machines have their addresses. `prepare` sets up a special state path, and returns a function that
 * undoes it.
 */
export async function startUpOnHost(
  name: string,
  prepare: (statePath: string) => Promise<() => Promise<void>> = async () => async () => undefined,
): Promise<UpOnHost> {
  const hosts = await makeHosts(name);
  try {
    // Created before the host starts, which only sees earlier mounts; its log is stored elsewhere.
    const statePath = join(hosts.folder, 'state');
    mkdirSync(statePath);
    hosts.defer(await prepare(statePath));
    const { host, neutrino: process } = await hosts.place(name);
    const guests = new Guests();
    hosts.defer(() => guests.stop());
    const flags = ['--state-path', statePath, '--host', name, '--bind-host', host.address];
    const neutrino = process(['up', ...flags]);
    const api = new ApiClient(`http://${host.address}:9696`);
    await neutrino.start();
    await api.awaitAgent(name, 'DHCP agent').catch((error: unknown) => {
      throw new Error(`${error}; its output:\n${neutrino.lastWords()}`);
    });
    const shared: SharedNetwork[] = [];
    for (const prefix of ['192.168.1', '192.168.2']) {
      const id = await api.network();
      shared.push({ id, subnetId: await api.subnet(id, { cidr: `${prefix}.0/24` }), prefix });
      await guests.boot(host, await api.machinePort(id, name));
    }
    return {
      ...{ host, neutrino, api, statePath, guests, shared, dispose: hosts.dispose },
      async facts() {
        // Closed at once, because the next start after a kill must find the database as it was left, without other users.
        const db = openSqlite({ path: join(statePath, 'neutrino.sqlite') });
        try {
          return {
            api: await readApi(api),
            database: await readDatabase(db),
            hosts: [await readHost(host, statePath, guests.ports(name))],
            agentsPerNetwork: 1,
          };
        } finally {
          await db.close();
        }
      },
    };
  } catch (error) {
    await hosts.dispose();
    throw error;
  }
}
