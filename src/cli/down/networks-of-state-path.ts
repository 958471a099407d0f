import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { dhcpDriverKind } from '../../agents/dhcp/drivers/registry.ts';
import type { Config } from '../../config/options.ts';
import { openDatabase } from '../../db/open.ts';
import { instanceStore } from '../../lab/instance.ts';

/**
 * Returns the ids of the networks that this state path knows: those in its database, those that the DHCP driver has files of, and those
 * that its machines are on. Everything that Neutrino creates on a host belongs to one of them.
 */
export async function networksOfStatePath(config: Config, log: Logger): Promise<ReadonlySet<string>> {
  const { state_path: statePath } = config.DEFAULT;
  const instances = await instanceStore(statePath).list();
  return new Set([
    ...(await networksOfDatabase(config, log)),
    ...(await dhcpDriverKind(config).create({ config, log }).known()),
    ...instances.flatMap(({ instance }) => instance?.nics.map(({ networkId }) => networkId) ?? []),
  ]);
}

async function networksOfDatabase(config: Config, log: Logger): Promise<readonly string[]> {
  const { connection } = config.database;
  // Opening would create it.
  if (connection === '' && !existsSync(join(config.DEFAULT.state_path, 'neutrino.sqlite'))) return [];
  try {
    const database = openDatabase(config);
    try {
      const rows = await database.kysely.selectFrom('networks').select('id').execute();
      return rows.map(({ id }) => id);
    } finally {
      await database.close();
    }
  } catch (error) {
    // Taking down must work with a broken database too: the driver's files and the machines name most of them.
    log.warn({ err: error }, 'cannot read the networks from the database');
    return [];
  }
}
