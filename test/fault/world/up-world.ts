import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqlite } from '../../../src/db/sqlite/open.ts';
import { ApiClient } from '../../interop/api-client.ts';
import { startTestHost, type TestHost } from '../../interop/hosts/test-host.ts';
import { makeUnderlay } from '../../interop/hosts/underlay.ts';
import { removeUnlessKept } from '../../support/kept-folder.ts';
import type { Facts } from '../agreement/facts.ts';
import type { SharedNetwork } from '../load/client.ts';
import { readApi } from '../witnesses/api.ts';
import { readDatabase } from '../witnesses/database.ts';
import { readHost } from '../witnesses/host.ts';
import { Guests } from './guests.ts';
import { type NeutrinoOnHost, neutrinoOnHost } from './neutrino-on-host.ts';

/** `neutrino up` on a host of its own, with machines. */
export interface UpWorld {
  readonly host: TestHost;
  readonly neutrino: NeutrinoOnHost;
  readonly api: ApiClient;
  readonly statePath: string;
  readonly guests: Guests;
  /** Networks with a machine each. */
  readonly shared: readonly SharedNetwork[];
  facts(): Promise<Facts>;
  dispose(): Promise<void>;
}

/**
 * Starts one; resolves when its machines have their addresses. `prepare` makes the state path a special one, and gives what
 * undoes that.
 */
export async function startUpWorld(
  name: string,
  prepare: (statePath: string) => Promise<() => Promise<void>> = async () => async () => undefined,
): Promise<UpWorld> {
  const folder = mkdtempSync(join(tmpdir(), `neutrino-${name}-`));
  const disposing: (() => Promise<void>)[] = [() => removeUnlessKept(folder)];
  const dispose = async () => {
    for (const one of disposing.splice(0).reverse()) await one();
  };
  try {
    const statePath = join(folder, 'state');
    mkdirSync(statePath);
    disposing.push(await prepare(statePath));
    const underlay = await makeUnderlay();
    disposing.push(underlay.dispose);
    const host = await startTestHost(name, underlay);
    disposing.push(host.dispose);
    const guests = new Guests();
    disposing.push(() => guests.stop());
    const place = ['--state-path', statePath, '--host', name, '--bind-host', host.address];
    const neutrino = neutrinoOnHost(host, ['up', ...place], join(folder, 'up.log'));
    const api = new ApiClient(`http://${host.address}:9696`);
    await neutrino.start();
    await api.awaitAgent(name, 'DHCP agent').catch((error: unknown) => {
      throw new Error(`${error}; it said:\n${neutrino.log().slice(-4_000)}`);
    });
    const shared: SharedNetwork[] = [];
    for (const prefix of ['192.168.1', '192.168.2']) {
      const id = await api.network();
      shared.push({ id, subnetId: await api.subnet(id, { cidr: `${prefix}.0/24` }), prefix });
      await guests.boot(host, await api.machinePort(id, name));
    }
    return {
      ...{ host, neutrino, api, statePath, guests, shared, dispose },
      async facts() {
        // Open for this look alone: who starts after a kill must find what the killed one left, with nobody else at it.
        const db = openSqlite({ path: join(statePath, 'neutrino.sqlite') });
        try {
          return {
            api: await readApi(api.url),
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
    await dispose();
    throw error;
  }
}
