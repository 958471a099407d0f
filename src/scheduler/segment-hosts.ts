import type { Queries, Trx } from '../db/database.ts';
import { groupBy } from '../store/listing.ts';

/** Where agents that wire ports report which physical networks their host reaches. */
const MAPPINGS = ['bridge_mappings', 'interface_mappings', 'device_mappings'] as const;
/** Rows per insert. */
const CHUNK = 500;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

/** Returns the physical networks in the `configurations` of an agent's report (JSON), in order. */
export function physicalNetworks(configurations: string): readonly string[] {
  if (!configurations.includes('_mappings"')) return [];
  const reported: unknown = JSON.parse(configurations);
  if (!isObject(reported)) return [];
  const names = MAPPINGS.flatMap((name) => {
    const mappings = reported[name];
    return isObject(mappings) ? Object.keys(mappings) : [];
  });
  return [...new Set(names)].sort();
}

interface Reach {
  readonly segment_id: string;
  readonly host: string;
}

async function insertReach(trx: Trx, rows: readonly Reach[]): Promise<void> {
  for (let at = 0; at < rows.length; at += CHUNK)
    await trx
      .insertInto('segmenthostmappings')
      .ignore()
      .values(rows.slice(at, at + CHUNK))
      .execute();
}

/** Records which hosts reach a new segment, according to the reports of their agents. */
export async function mapSegment(trx: Trx, id: string, physicalNetwork: string | null): Promise<void> {
  if (physicalNetwork === null) return;
  const name = JSON.stringify(physicalNetwork);
  // Backslashes of JSON would escape in the pattern.
  const some = name.includes('\\') ? '_mappings"' : `${name}:`;
  const agents = await trx
    .selectFrom('agents')
    .select(['host', 'configurations'])
    .where('configurations', 'like', `%${some}%`)
    .execute();
  const hosts = agents.filter(({ configurations }) => physicalNetworks(configurations).includes(physicalNetwork));
  await insertReach(
    trx,
    [...new Set(hosts.map(({ host }) => host))].map((host) => ({ segment_id: id, host })),
  );
}

/**
 * Records which segments a host reaches, according to the reports of its agents. Returns the segments that it reaches now and did
 * not, or the other way round.
 */
export async function mapHost(trx: Trx, host: string): Promise<readonly string[]> {
  const agents = await trx.selectFrom('agents').select('configurations').where('host', '=', host).execute();
  const physnets = [...new Set(agents.flatMap(({ configurations }) => physicalNetworks(configurations)))];
  const before = new Set(
    (await trx.selectFrom('segmenthostmappings').select('segment_id').where('host', '=', host).execute()).map(
      ({ segment_id }) => segment_id,
    ),
  );
  const reached =
    physnets.length === 0
      ? []
      : await trx.selectFrom('networksegments').select('id').where('physical_network', 'in', physnets).execute();
  const now = new Set(reached.map(({ id }) => id));
  const gained = [...now].filter((id) => !before.has(id));
  const lost = [...before].filter((id) => !now.has(id));
  await insertReach(
    trx,
    gained.map((segment_id) => ({ segment_id, host })),
  );
  for (let at = 0; at < lost.length; at += CHUNK)
    await trx
      .deleteFrom('segmenthostmappings')
      .where('host', '=', host)
      .where('segment_id', 'in', lost.slice(at, at + CHUNK))
      .execute();
  return [...gained, ...lost];
}

/** Returns the hosts that reach each of the segments. */
export async function hostsOfSegments(
  db: Queries,
  segments: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const hosts = new Map<string, string[]>();
  for (let at = 0; at < segments.length; at += CHUNK) {
    const rows = await db
      .selectFrom('segmenthostmappings')
      .selectAll()
      .where('segment_id', 'in', segments.slice(at, at + CHUNK))
      .orderBy('host')
      .execute();
    for (const [id, own] of groupBy(rows, ({ segment_id }) => segment_id))
      hosts.set(
        id,
        own.map(({ host }) => host),
      );
  }
  return hosts;
}

/** Returns which of the segments a host reaches. */
export async function segmentsOfHost(
  db: Queries,
  host: string,
  segments: readonly string[],
): Promise<ReadonlySet<string>> {
  if (segments.length === 0 || host === '') return new Set();
  const rows = await db
    .selectFrom('segmenthostmappings')
    .select('segment_id')
    .where('host', '=', host)
    .where('segment_id', 'in', [...segments])
    .execute();
  return new Set(rows.map(({ segment_id }) => segment_id));
}

/** Returns whether a host reaches any segment. */
export async function isMapped(db: Queries, host: string): Promise<boolean> {
  const row = await db.selectFrom('segmenthostmappings').select('host').where('host', '=', host).executeTakeFirst();
  return row !== undefined;
}
