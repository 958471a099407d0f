import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { dhcpDriverKind } from '../../agents/dhcp/drivers/registry.ts';
import type { Config } from '../../config/options.ts';
import { openDatabase } from '../../db/open.ts';
import { instanceStore } from '../../lab/instance.ts';

/**
 * Returns the ids of the networks known to this state path: those in its database, those with files of the DHCP driver, and those
 * of its machines. Everything that Neutrino creates on a host belongs to one of them.
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
  // Opening it would create it.
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
    // `down` must also work with a damaged database: the driver's files and the machines name most networks.
    log.warn({ err: error }, 'cannot read the networks from the database');
    return [];
  }
}
