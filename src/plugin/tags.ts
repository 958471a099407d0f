import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Queries, Trx } from '../db/database.ts';
import type { Resource } from '../resources/attribute.ts';
import { neutronError } from '../resources/errors.ts';
import { MAX_TAGS, tagKey, tooManyTags } from '../resources/tag-types.ts';
import type { Core, RequestContext } from './core.ts';
import { bumpRevision, requireRevision } from './standard-attributes.ts';

/** A resource that has tags: its declaration, its table, and which of its rows a caller sees. */
export interface TaggedResource {
  readonly resource: Resource;
  readonly table: string;
  readonly visible: (context: RequestContext) => RawBuilder<SqlBool>;
}

/**
 * The rules of one resource's tags. As in Neutron a change of tags is a change of their resource (revision_number,
 * updated_at), however many change at once, and what changes nothing is not counted; agents are not told.
 * All throw TagResourceNotFound; with `revision` (If-Match) also RevisionNumberConstraintFailed.
 */
export interface TagRules {
  /** All, in order. */
  list(context: RequestContext, id: string): Promise<readonly string[]>;
  /** Throws TagNotFound unless it is there. */
  require(context: RequestContext, id: string, tag: string): Promise<void>;
  /** Adds one, if it is not there. Throws InvalidInput when there are too many. */
  add(context: RequestContext, id: string, tag: string, revision?: number): Promise<void>;
  /** Puts these, already checked, in the place of all. */
  replace(context: RequestContext, id: string, tags: readonly string[], revision?: number): Promise<void>;
  /** Throws TagNotFound when it is not there. */
  remove(context: RequestContext, id: string, tag: string, revision?: number): Promise<void>;
}

const sameAs = (tag: string) => {
  const key = tagKey(tag);
  return (other: string): boolean => tagKey(other) === key;
};

/** The tags of the standard attributes, in order. */
async function tagsOfAttributes(db: Queries, attr: number): Promise<readonly string[]> {
  const rows = await db.selectFrom('tags').select('tag').where('standard_attr_id', '=', attr).orderBy('tag').execute();
  return rows.map((row) => row.tag);
}

async function exchange(
  trx: Trx,
  attr: number,
  current: readonly string[],
  wanted: readonly string[],
  revision: number | undefined,
): Promise<void> {
  const [has, wants] = [new Set(current), new Set(wanted)];
  const gone = current.filter((tag) => !wants.has(tag));
  const fresh = wanted.filter((tag) => !has.has(tag));
  if (gone.length + fresh.length === 0) return;
  // First what goes: a new tag may differ from an old one by spaces at its end alone, and MariaDB has room for one of them.
  if (gone.length > 0)
    await trx.deleteFrom('tags').where('standard_attr_id', '=', attr).where('tag', 'in', gone).execute();
  if (fresh.length > 0)
    await trx
      .insertInto('tags')
      .values(fresh.map((tag) => ({ standard_attr_id: attr, tag })))
      .execute();
  await bumpRevision(trx, attr, revision);
}

/** The rules of the tags of one kind of resource. */
export function tagRules(core: Core, tagged: TaggedResource): TagRules {
  const { db } = core;
  const { resource, table, visible } = tagged;
  const notFound = (id: string) => neutronError('TagResourceNotFound', { resource: resource.plural, id });

  const attributesOf = async (queries: Queries, context: RequestContext, id: string): Promise<number> => {
    const { rows } = await sql<{ attr: number }>`select standard_attr_id as attr from ${sql.table(table)}
      where id = ${id} and ${visible(context)}`.execute(queries);
    const [row] = rows;
    if (!row) throw notFound(id);
    return row.attr;
  };
  const list: TagRules['list'] = async (context, id) =>
    tagsOfAttributes(db.kysely, await attributesOf(db.kysely, context, id));

  /** Exchanges the tags for what `wanted` makes of them. Two callers cannot both do so at once. */
  const change = (
    context: RequestContext,
    id: string,
    revision: number | undefined,
    wanted: (current: readonly string[]) => readonly string[],
  ): Promise<void> =>
    db.transaction(async (trx) => {
      const attr = await attributesOf(trx, context, id);
      const row = trx.selectFrom('standardattributes').select('id').where('id', '=', attr);
      // SQLite's transactions begin immediate: they have the whole database to themselves anyway.
      if (!(await (db.dialect === 'mysql' ? row.forUpdate() : row).executeTakeFirst())) throw notFound(id);
      await requireRevision(trx, attr, revision);
      const current = await tagsOfAttributes(trx, attr);
      await exchange(trx, attr, current, wanted(current), revision);
    });

  return {
    list,
    async require(context, id, tag) {
      if (!(await list(context, id)).some(sameAs(tag))) throw neutronError('TagNotFound', { tag });
    },
    add: (context, id, tag, revision) =>
      change(context, id, revision, (current) => {
        if (current.some(sameAs(tag))) return current;
        if (current.length >= MAX_TAGS) throw tooManyTags(current.length + 1);
        return [...current, tag];
      }),
    replace: (context, id, tags, revision) => change(context, id, revision, () => tags),
    remove: (context, id, tag, revision) =>
      change(context, id, revision, (current) => {
        const same = sameAs(tag);
        const left = current.filter((other) => !same(other));
        if (left.length === current.length) throw neutronError('TagNotFound', { tag });
        return left;
      }),
  };
}
