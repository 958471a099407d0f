import { sql } from 'kysely';
import type { Config } from '../../config/options.ts';
import type { Database, Queries, Trx } from '../../db/database.ts';
import { type PreparedQuery, prepared } from '../../db/prepared.ts';
import { neutronError } from '../../resources/errors.ts';
import type { Listed } from '../../store/listing.ts';

/** A resource that is counted, with its rows if it has no table. */
export type Counted = Pick<Listed, 'resource' | 'source'>;

/** The limit that a project has of its own, from the database; undefined: it has none. */
export interface OwnLimit {
  readonly limit: number | undefined;
}

/** Limits how many resources a project can have. */
export interface Quotas {
  /**
   * Reserves quota for `count` new resources of a project, in the transaction that creates them: exact even with concurrent
   * creations. Throws OverQuota. `own`: the project's own limit, if it has been looked up.
   */
  reserve(trx: Trx, counted: Counted, projectId: string, count: number, own?: OwnLimit): Promise<void>;
}

/** No limits. */
export const UNLIMITED: Quotas = { reserve: async () => undefined };

/** The options of `[quotas]` by resource. */
const OPTIONS: Readonly<Record<string, keyof Config['quotas']>> = {
  network: 'quota_network',
  subnet: 'quota_subnet',
  port: 'quota_port',
  router: 'quota_router',
  floatingip: 'quota_floatingip',
  security_group: 'quota_security_group',
  security_group_rule: 'quota_security_group_rule',
  rbac_policy: 'quota_rbac_policy',
};

/** Returns the limit of projects without one of their own (`[quotas]`); -1: unlimited. */
export const defaultLimit = ({ quotas }: Config, resource: string): number =>
  quotas[OPTIONS[resource] ?? 'default_quota'];

const ownLimit = prepared<{ project: string; resource: string }, { limit: number }>((db, p) =>
  db.selectFrom('quotas').select('limit').where('project_id', '=', p('project')).where('resource', '=', p('resource')),
);

async function ownLimitOf(trx: Trx, project: string, resource: string): Promise<OwnLimit> {
  const [row] = (await ownLimit(trx, { project, resource })).rows;
  return { limit: row && Number(row.limit) };
}

/** Returns how many resources a project has; counts no further than `most`. */
export async function used(
  db: Queries,
  { resource, source }: Counted,
  project: string,
  most?: number,
): Promise<number> {
  const from = source ?? sql`from ${sql.table(resource.table ?? '')}`;
  const limit = most === undefined ? sql`` : sql`limit ${most}`;
  const { rows } = await sql<{ n: number }>`select count(*) as n from
    (select 1 as one ${from} where project_id = ${project} ${limit}) t`.execute(db);
  return Number(rows[0]?.n ?? 0);
}

/** The limits of the database and of `[quotas]`. */
export class ConfiguredQuotas implements Quotas {
  readonly #config: Config;
  readonly #lock: PreparedQuery<{ project: string; resource: string }, { project_id: string }>;

  constructor({ db, config }: { readonly db: Database; readonly config: Config }) {
    this.#config = config;
    this.#lock = prepared((queries, p) =>
      db.locked(
        queries
          .selectFrom('quotausages')
          .select('project_id')
          .where('resource', '=', p('resource'))
          .where('project_id', '=', p('project')),
      ),
    );
  }

  async reserve(trx: Trx, counted: Counted, projectId: string, count: number, own?: OwnLimit): Promise<void> {
    const { resource } = counted;
    const { limit: found } = own ?? (await ownLimitOf(trx, projectId, resource.name));
    const limit = found ?? defaultLimit(this.#config, resource.name);
    if (limit < 0) return;
    await this.#serialize(trx, resource.name, projectId);
    if ((await used(trx, counted, projectId, limit + 1)) + count > limit)
      throw neutronError('OverQuota', { resources: `'${resource.name}'` });
  }

  /** Locks the project's row of this resource until the transaction ends, so that concurrent creations count each other. */
  async #serialize(trx: Trx, resource: string, projectId: string): Promise<void> {
    const row = { project: projectId, resource };
    if ((await this.#lock(trx, row)).rows.length > 0) return;
    await trx.insertInto('quotausages').ignore().values({ resource, project_id: projectId }).execute();
    await this.#lock(trx, row);
  }
}
