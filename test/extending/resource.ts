import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { Queries } from '../../src/db/database.ts';
import type { Core } from '../../src/plugin/core.ts';
import { enqueueNotification } from '../../src/plugin/events.ts';
import { inserted, type ResourceModule } from '../../src/plugin/module.ts';
import { ownedIn } from '../../src/plugin/visibility.ts';
import { type DocumentOf, resource } from '../../src/resources/attribute.ts';
import { neutronError } from '../../src/resources/errors.ts';
import { extension } from '../../src/resources/extensions.ts';
import { identity, standardAttributes, tags } from '../../src/resources/standard.ts';
import { boolean, integer, line, listOf, oneOf, readOnly, shownOnly, uuid } from '../../src/resources/types.ts';
import { objectOf } from '../../src/resources/validate.ts';
import { catalogue } from '../../src/rpc/events.ts';
import { groupBy, presence, tagConditions, tagsOf } from '../../src/store/listing.ts';
import { deletePlain, differsFor, insertPlain, plainOf, updatePlain } from '../../src/store/rows.ts';
import { selectPlain } from '../../src/store/select.ts';
import { bumpRevision, newStandard, requireCurrent } from '../../src/store/standard-attributes.ts';

/**
 * A resource that teaches: mirrors copy the traffic of a network to a target. A mirror has filters (a child with its own path,
 * listed in the mirror's document), an action, tags, a quota, policies, and an event for agents. A real resource is declared in
 * `src/resources/`, has its rules in a folder of `src/plugin/`, its tables in a migration, and one line in
 * `src/plugin/resources.ts`.
 */

// 1. The declaration. Requests are checked against it; routes, filters, paging, fields, tags, policy, storage, OpenAPI and the
//    extension list derive from it.
export const MIRROR = resource({
  name: 'mirror',
  plural: 'mirrors',
  path: 'mirrors',
  // GET /v2.0 lists it.
  core: true,
  table: 'mirrors',
  // `resource_type` of its row in standardattributes: description, times, revision number, tags.
  standardAttributes: 'mirrors',
  tagged: true,
  quota: true,
  methods: ['create', 'list', 'show', 'update', 'delete'],
  // Who may do what; methods that are not named have the default.
  policy: { delete: 'admin' },
  actions: {
    // PUT /v2.0/mirrors/{id}/restart
    restart: {
      method: 'put',
      body: objectOf({ reason: { type: line(80), post: true, default: '', help: 'why, for the log' } }),
      answer: { type: 'object', properties: { reason: { type: 'string' } } },
      policyName: 'restart_mirror',
      help: 'restart the mirroring',
    },
  },
  extension: 'mirror',
  brings: [extension('mirror', 'Traffic mirroring', '2026-11-24T00:00:00-00:00', 'Mirrors of networks.')],
  help: 'copies the traffic of a network to a target',
  attributes: {
    ...identity('mirrors'),
    network_id: { type: uuid, post: true, column: 'mirrors.network_id', sort: true, help: 'the network' },
    enabled: {
      type: boolean,
      post: true,
      put: true,
      default: true,
      column: 'mirrors.enabled',
      // L2 agents are notified when it changes.
      tells: ['l2'],
      help: 'traffic is copied',
    },
    target: {
      type: line(64),
      post: true,
      put: true,
      default: '',
      column: 'mirrors.target',
      tells: ['l2'],
      // Only administrators may set it, and see it.
      policy: { create: 'admin', update: 'admin', show: 'admin' },
      help: 'host that receives the copies',
    },
    // Without a column: the module provides it.
    filters: {
      type: readOnly<readonly MirrorFilter[]>({ type: 'array', items: { $ref: '#/components/schemas/MirrorFilter' } }),
      help: 'what is copied; everything if empty',
    },
    filtered: { type: shownOnly(boolean), help: 'it has filters' },
    ...standardAttributes,
    ...tags,
  },
});

// 2. A child with a path below its parent: /v2.0/mirrors/{mirror_id}/filters/{id}
export const MIRROR_FILTER = resource({
  name: 'mirror_filter',
  plural: 'filters',
  path: 'filters',
  table: 'mirrorfilters',
  parent: { name: 'mirror', by: 'mirror_id', inPath: true },
  methods: ['create', 'list', 'show', 'delete'],
  // A child has no project of its own: callers who see its parent see it.
  policy: { show: 'parentReader', create: 'parentOwner', delete: 'parentOwner' },
  extension: 'mirror',
  help: 'a protocol that a mirror copies',
  attributes: {
    id: { type: shownOnly(uuid), column: 'mirrorfilters.id', sort: true, help: 'UUID' },
    // Set by the path, never shown.
    mirror_id: { type: shownOnly(uuid), column: 'mirrorfilters.mirror_id', visible: false, help: 'its mirror' },
    protocol: {
      type: oneOf(['tcp', 'udp', 'icmp']),
      post: true,
      column: 'mirrorfilters.protocol',
      sort: true,
      help: 'protocol',
    },
    ports: {
      type: listOf(line(11), { max: 8 }),
      post: true,
      default: [],
      column: 'mirrorfilters.ports',
      help: 'ports',
    },
  },
});

// 3. A singleton: every project has one, stored or not. /v2.0/mirror-limits/{project_id}
export const MIRROR_LIMIT = resource({
  name: 'mirror_limit',
  plural: 'mirror_limits',
  path: 'mirror-limits',
  key: 'project_id',
  singleton: true,
  table: 'mirrorlimits',
  methods: ['list', 'show', 'update', 'delete'],
  policy: { show: 'reader', update: 'admin', delete: 'admin' },
  extension: 'mirror',
  help: 'how many mirrors a project can have',
  attributes: {
    project_id: { type: shownOnly(line(255)), column: 'mirrorlimits.id', help: 'the project' },
    mirrors: {
      type: integer({ min: -1 }),
      put: true,
      column: 'mirrorlimits.mirrors',
      help: 'most mirrors; -1: no limit',
    },
  },
});

type Mirror = DocumentOf<typeof MIRROR>;
// An explicit type, because MIRROR and MIRROR_FILTER refer to each other.
interface MirrorFilter {
  readonly id: string;
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  readonly ports: readonly string[];
}

// 4. What agents are notified of: a row of the catalogue in src/rpc/events.ts.
export const MIRROR_EVENTS = catalogue({
  mirror_update: {
    topic: 'q-agent-notifier-mirror-update',
    version: '1.0',
    method: 'mirror_update',
    audience: 'all',
    orderedBy: 'network',
    args: (payload: { mirror: Mirror }) => payload,
  },
});

// 5. The rules. Everything that the declaration describes has already been validated.
const load = async (db: Queries, ids: readonly string[]): Promise<ReadonlyMap<string, Mirror>> => {
  const rows = await selectPlain(db, MIRROR, ids);
  const { rows: found } = await sql<{ id: string; mirror_id: string }>`select id, mirror_id from mirrorfilters
    where mirror_id in (${sql.join([...ids, ''])})`.execute(db);
  const children = new Map(
    (
      await selectPlain(
        db,
        MIRROR_FILTER,
        found.map(({ id }) => id),
      )
    ).map((row) => [row.id, row.shown]),
  );
  const filters = groupBy(found, (row) => row.mirror_id);
  const tagged = await tagsOf(
    db,
    rows.map(({ attr }) => attr),
  );
  return new Map(
    // A document that lacks a declared attribute does not compile.
    rows.map(({ id, attr, shown }) => {
      const own = (filters.get(id) ?? []).flatMap((row) => children.get(row.id) ?? []);
      return [id, { ...shown, filters: own, filtered: own.length > 0, tags: tagged.get(attr) ?? [] }];
    }),
  );
};

async function requireMirror(db: Queries, id: string): Promise<Mirror> {
  const mirror = (await load(db, [id])).get(id);
  if (!mirror) throw neutronError('HTTPNotFound', { path: `mirrors/${id}` });
  return mirror;
}

export const mirrorModule = ({ log }: Core): ResourceModule<typeof MIRROR> => ({
  resource: MIRROR,
  // Filters of attributes without a column.
  conditions: {
    filtered: presence(sql`exists (select 1 from mirrorfilters f where f.mirror_id = mirrors.id)`),
    ...tagConditions('mirrors'),
  },
  visible: ownedIn('mirrors'),
  load,
  async create(trx, _caller, values) {
    const id = randomUUID();
    await insertPlain(trx, MIRROR, { ...plainOf(MIRROR, values), id, ...newStandard() });
    return inserted((await load(trx, [id])).get(id), 'mirror', id);
  },
  async update(trx, _caller, id, changes, revision) {
    const before = await requireMirror(trx, id);
    requireCurrent(before.revision_number, revision);
    const [row] = await selectPlain(trx, MIRROR, [id]);
    await updatePlain(trx, MIRROR, { id, attr: row?.attr ?? 0 }, plainOf(MIRROR, changes));
    await bumpRevision(trx, row?.attr ?? 0, revision);
    const after = await requireMirror(trx, id);
    if (differsFor(MIRROR, 'l2', before, after))
      await enqueueNotification(trx, MIRROR_EVENTS.mirror_update, { mirror: after }, { network: after.network_id });
    return after;
  },
  async delete(trx, _caller, id) {
    await requireMirror(trx, id);
    await deletePlain(trx, MIRROR, id);
  },
  actions: {
    async restart(_caller, { id, body }) {
      log.info({ id, reason: body.reason }, 'a mirror restarts');
      return { reason: body.reason };
    },
  },
});

export const mirrorFilterModule: ResourceModule<typeof MIRROR_FILTER> = {
  resource: MIRROR_FILTER,
  load: async (db, ids) => new Map((await selectPlain(db, MIRROR_FILTER, ids)).map(({ id, shown }) => [id, shown])),
  create: async (trx, _caller, values) =>
    (await insertPlain(trx, MIRROR_FILTER, { ...plainOf(MIRROR_FILTER, values), id: randomUUID() })).shown,
  delete: (trx, _caller, id) => deletePlain(trx, MIRROR_FILTER, id),
};

/** Limit of projects without their own. */
const DEFAULT_LIMIT = 2;

export const mirrorLimitModule: ResourceModule<typeof MIRROR_LIMIT> = {
  resource: MIRROR_LIMIT,
  async load(db, ids) {
    const stored = new Map((await selectPlain(db, MIRROR_LIMIT, ids)).map(({ id, shown }) => [id, shown]));
    return new Map(ids.map((id) => [id, stored.get(id) ?? { project_id: id, mirrors: DEFAULT_LIMIT }]));
  },
  async update(trx, _caller, id, { mirrors = DEFAULT_LIMIT }) {
    await deletePlain(trx, MIRROR_LIMIT, id);
    await sql`insert into mirrorlimits (id, mirrors) values (${id}, ${mirrors})`.execute(trx);
    return { project_id: id, mirrors };
  },
  delete: (trx, _caller, id) => deletePlain(trx, MIRROR_LIMIT, id),
};
