import { sql } from 'kysely';
import type { Caller } from '../auth/contract.ts';
import type { Queries, Trx } from '../db/database.ts';
import type { Action, Resource } from '../resources/attribute.ts';
import { neutronError } from '../resources/errors.ts';
import { MAX_TAGS, parseTag, tagActions, tagKey, tooManyTags } from '../resources/tag-types.ts';
import { bumpRevision, requireRevision } from '../store/standard-attributes.ts';
import type { Core } from './core.ts';
import type { ActionCall, AnyModule, HandlersOf } from './module.ts';
import { announced } from './notifications.ts';

const sameAs = (tag: string) => {
  const key = tagKey(tag);
  return (other: string): boolean => tagKey(other) === key;
};

/** Returns the tags of standard attributes, in order. */
async function tagsOfAttributes(db: Queries, attr: number): Promise<readonly string[]> {
  const rows = await db.selectFrom('tags').select('tag').where('standard_attr_id', '=', attr).orderBy('tag').execute();
  return rows.map((row) => row.tag);
}

/** Inserts tags that standard attributes do not have yet. */
export async function insertTags(trx: Trx, attr: number, tags: readonly string[]): Promise<void> {
  if (tags.length === 0) return;
  await trx
    .insertInto('tags')
    .values(tags.map((tag) => ({ standard_attr_id: attr, tag })))
    .execute();
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
  // Delete first: a new tag may differ from an old one only by trailing spaces, and MariaDB's keys treat both as equal.
  if (gone.length > 0)
    await trx.deleteFrom('tags').where('standard_attr_id', '=', attr).where('tag', 'in', gone).execute();
  await insertTags(trx, attr, fresh);
  await bumpRevision(trx, attr, revision);
}

/**
 * Handlers of the tag actions of a resource. As in Neutron, a change of tags updates their resource once (revision_number,
 * updated_at), however many tags change; requests that change nothing do not, and agents are not notified.
 * All throw TagResourceNotFound; with If-Match also RevisionNumberConstraintFailed.
 */
function tagHandlers(
  core: Core,
  { plural, table = '' }: Resource,
): HandlersOf<{ actions: ReturnType<typeof tagActions> }> {
  const { db } = core;
  const attributesOf = async (queries: Queries, id: string): Promise<number> => {
    const { rows } = await sql<{ attr: number }>`select standard_attr_id as attr from ${sql.table(table)}
      where id = ${id}`.execute(queries);
    const [row] = rows;
    if (!row) throw neutronError('TagResourceNotFound', { resource: plural, id });
    return row.attr;
  };
  const list = async (id: string) => tagsOfAttributes(db.kysely, await attributesOf(db.kysely, id));
  const tagOf = ({ parameters }: ActionCall) => parseTag(parameters.tag);

  /**
   * Replaces the tags with those that `wanted` returns. A lock on the row serializes concurrent callers. `name`, `tags`: of the
   * notifications.
   */
  const change = (
    caller: Caller,
    { id, revision }: ActionCall,
    { name, tags }: { readonly name: 'tag.create' | 'tag.update' | 'tag.delete'; readonly tags?: readonly string[] },
    wanted: (current: readonly string[]) => readonly string[],
  ): Promise<void> => {
    const payload = { parent_resource: plural, parent_resource_id: id, ...(tags ? { tags } : {}) };
    return announced(
      core,
      caller,
      { name, start: payload },
      () => payload,
      (commit) =>
        commit(async (trx) => {
          const attr = await attributesOf(trx, id);
          const row = trx.selectFrom('standardattributes').select('id').where('id', '=', attr);
          if (!(await db.locked(row).executeTakeFirst()))
            throw neutronError('TagResourceNotFound', { resource: plural, id });
          await requireRevision(trx, attr, revision);
          const current = await tagsOfAttributes(trx, attr);
          await exchange(trx, attr, current, wanted(current), revision);
        }),
    );
  };

  return {
    list_tags: async (_caller, { id }) => ({ tags: await list(id) }),
    async replace_tags(caller, call) {
      await change(caller, call, { name: 'tag.update', tags: call.body }, () => call.body);
      // As in Neutron, in the order of the request.
      return { tags: call.body };
    },
    delete_tags: (caller, call) => change(caller, call, { name: 'tag.delete' }, () => []),
    async show_tag(_caller, call) {
      const tag = tagOf(call);
      if (!(await list(call.id)).some(sameAs(tag))) throw neutronError('TagNotFound', { tag });
    },
    async add_tag(caller, call) {
      const tag = tagOf(call);
      await change(caller, call, { name: 'tag.create', tags: [tag] }, (current) => {
        if (current.some(sameAs(tag))) return current;
        if (current.length >= MAX_TAGS) throw tooManyTags(current.length + 1);
        return [...current, tag];
      });
      return null;
    },
    async delete_tag(caller, call) {
      const tag = tagOf(call);
      await change(caller, call, { name: 'tag.delete', tags: [tag] }, (current) => {
        const same = sameAs(tag);
        const left = current.filter((other) => !same(other));
        if (left.length === current.length) throw neutronError('TagNotFound', { tag });
        return left;
      });
    },
  };
}

/** Returns the module with the tag actions added, if its resource is tagged. */
export function withTags(core: Core, module: AnyModule): AnyModule {
  const { resource } = module;
  if (!resource.tagged) return module;
  const actions: Readonly<Record<string, Action>> = { ...resource.actions, ...tagActions(resource) };
  return {
    ...module,
    resource: { ...resource, actions },
    actions: { ...module.actions, ...tagHandlers(core, resource) },
  };
}
