import { sql } from 'kysely';
import type { Caller } from '../auth/contract.ts';
import { methodAction, type Policy, type Target } from '../auth/policy.ts';
import type { Queries, Trx } from '../db/database.ts';
import { actionPolicy } from '../resources/action.ts';
import { type Action, keyOf, type Resource } from '../resources/attribute.ts';
import { NeutronError, neutronError, notFound } from '../resources/errors.ts';
import { validateCreate, validateUpdate } from '../resources/validate.ts';
import { CHANGED_SINCE } from '../store/changed-since.ts';
import { columnOf } from '../store/layout.ts';
import { type Condition, columnIn, isFilter, type ListQuery, listIds, loadInOrder } from '../store/listing.ts';
import type { Core } from './core.ts';
import { blanked, pickFields, without } from './document-parts.ts';
import type { AnyModule, Document } from './module.ts';
import { announced, areChangesNotified, type Commit } from './notifications.ts';
import { Permits } from './permits.ts';
import type { Quotas } from './quotas/limits.ts';
import { ownOrShared, seesAll } from './visibility.ts';

/** The dependencies of all services. */
export interface Services {
  readonly core: Core;
  readonly policy: Policy;
  readonly quotas: Quotas;
  /** The resources that rules of the policy relate to (`%(network:tenant_id)s`), by name. */
  readonly resources: ReadonlyMap<string, Resource>;
}

const EVERYTHING: Pick<ListQuery, 'sorts' | 'pageReverse'> = { sorts: [], pageReverse: false };

/**
 * The operations on one resource: its module, behind policy, visibility, quotas and validation, with each change in a
 * transaction. `parent`: id in the path of a child below its parent. All methods throw NeutronError for errors of the caller.
 */
export class Service {
  readonly #services: Services;
  readonly #module: AnyModule;
  readonly #permits: Permits;
  readonly #parent: Service | undefined;
  /** Attributes of the module that this server does not serve. */
  readonly #unserved: readonly string[];
  /** Those, and attributes without a column that only the policy sees. */
  readonly #unshown: readonly string[];
  readonly resource: Resource;

  /** `resource`: the part of the module's declaration that this server serves. */
  constructor(services: Services, module: AnyModule, resource: Resource, parent?: Service) {
    this.#services = services;
    this.#module = module;
    this.#permits = new Permits(services, resource);
    this.#parent = parent;
    this.resource = resource;
    const { attributes } = module.resource;
    this.#unserved = Object.keys(attributes).filter((name) => !(name in resource.attributes));
    // Documents may contain them, because the policy compares them.
    this.#unshown = Object.keys(attributes).filter((name) => {
      const { column, visible } = attributes[name] ?? {};
      return this.#unserved.includes(name) || (visible === false && column === undefined);
    });
  }

  /** Returns whether lists can be filtered by this name. */
  isFilter(name: string): boolean {
    return !this.#unserved.includes(name) && isFilter(this.#module, name);
  }

  /** Names of filters that are not attributes. */
  get furtherFilters(): readonly string[] {
    return [...Object.keys(this.#module.conditions ?? {}), CHANGED_SINCE];
  }

  async list(caller: Caller, query: ListQuery, parent?: string): Promise<readonly Document[]> {
    const db = this.#db;
    const above = await this.#aboveListed(db, caller, parent);
    if (!above) return [];
    if (this.resource.singleton)
      await this.#permits.require(db, caller, [methodAction(this.resource, 'show')], { project_id: caller.projectId });
    this.#permits.requireSorts(caller, query);
    // The answer would reveal a value that the caller may not see.
    if (this.#permits.filtersHidden(caller, query)) return [];
    await this.#module.prepareList?.(caller, query);
    const ids = await listIds(db, this.#module, query, this.#seen(caller, parent), caller);
    const documents = await loadInOrder(ids, (some) => this.#module.load(db, some, { caller, query }));
    const allowed = await this.#permits.visibleAmong(db, caller, documents, above);
    return this.#shownAll(caller, allowed);
  }

  /** Returns the named attributes of a resource; default: all that the caller may see. */
  async show(caller: Caller, id: string, parent?: string, fields?: readonly string[]): Promise<Document> {
    if (this.#module.show)
      return this.#module.show(caller, id, {
        fields,
        permit: (method, target) =>
          this.#permits.require(this.#db, caller, [methodAction(this.resource, method)], target),
      });
    const above = await this.#aboveOf(this.#db, caller, id, parent);
    return pickFields(this.#shown(caller, await this.#require(this.#db, caller, id, parent, above)), fields);
  }

  /** Creates all or none; returns their documents in order. `bulk`: whether the request was for a list; default: for one. */
  async create(
    caller: Caller,
    bodies: readonly unknown[],
    parent?: string,
    bulk = false,
  ): Promise<readonly Document[]> {
    const { quotas } = this.#services;
    const { resource } = this;
    if (parent !== undefined) this.#permits.requirePossible(caller, methodAction(resource, 'create'));
    const above = await this.#aboveNew(this.#db, caller, parent);
    const items = bodies.map((body): Document => {
      const values = validateCreate(resource, body, caller.projectId, this.#placed(parent));
      requireOwnProject(caller, values);
      return values;
    });
    const all = (some: readonly unknown[]) => (bulk ? { [resource.plural]: some } : { [resource.name]: some[0] });
    return this.#announced<readonly Document[]>(caller, 'create', all(bodies), all, async (commit) => {
      await this.#module.admitCreate?.(this.#db, caller, items);
      for (const [i, values] of items.entries())
        await this.#permits.requireCreate(this.#db, caller, values, named(bodies[i]), above);
      this.#module.checkTogether?.(items);
      return commit(async (trx) => {
        if (parent !== undefined) await this.#above(trx, caller, parent);
        if (resource.quota && !this.#module.reservesQuota)
          for (const [project, count] of countBy(items.map((values) => String(values.project_id))))
            await quotas.reserve(trx, this.#module, project, count);
        const create = this.#rule('create');
        const made: Document[] = [];
        for (const values of items) made.push(await create(trx, caller, values));
        return this.#shownAll(caller, made);
      });
    });
  }

  async update(caller: Caller, id: string, body: unknown, revision?: number, parent?: string): Promise<Document> {
    const changes = validateUpdate(this.resource, body);
    const { name } = this.resource;
    const end = (document: Document) => ({ [name]: document });
    return this.#announced(caller, 'update', { [name]: body, id }, end, (commit) =>
      commit(async (trx) => {
        await this.#admit(trx, caller, 'update', id, parent, changes);
        return this.#shown(caller, await this.#rule('update')(trx, caller, id, changes, revision, parent));
      }),
    );
  }

  async delete(caller: Caller, id: string, revision?: number, parent?: string): Promise<void> {
    const { name } = this.resource;
    const start = { [`${name}_id`]: id };
    const end = (document: Document | undefined) => ({ [name]: document, ...start });
    await this.#announced(caller, 'delete', start, end, async (commit) => {
      if (this.#module.prepareDelete) {
        await this.#admit(this.#db, caller, 'delete', id, parent);
        await this.#module.prepareDelete(caller, id);
      }
      return commit(async (trx) => {
        await this.#admit(trx, caller, 'delete', id, parent);
        const document = await this.#lastWords(trx, caller, id);
        await this.#rule('delete')(trx, caller, id, revision, parent);
        return document;
      });
    });
  }

  /** Performs an action; returns its response. */
  async act(
    caller: Caller,
    name: string,
    call: {
      readonly id: string;
      readonly parameters: Readonly<Record<string, string>>;
      readonly body: unknown;
      readonly revision: number | undefined;
      readonly parent?: string | undefined;
    },
  ): Promise<unknown> {
    const action = this.resource.actions?.[name];
    const handler = this.#module.actions?.[name];
    if (!action || !handler) throw new Error(`${this.resource.name} has no action ${name}, or no handler for it`);
    const rule = actionPolicy(name, action);
    if (this.#isOwn(caller, call.id) && action.method === 'get')
      return handler(caller, { ...call, body: action.body?.parse(call.body, rule) });
    // For administrators the handler alone decides whether the resource exists.
    const open = action.anyId || (call.parent === undefined && this.#permits.unconditional(caller, rule));
    // What the caller may do to no target reveals nothing about this one.
    if (!open && action.denied === undefined) this.#permits.requirePossible(caller, rule);
    const target = open ? {} : await this.#targetOf(caller, call, action);
    await this.#permits.require(this.#db, caller, [rule], target);
    const body = action.body?.parse(call.body, rule);
    if (action.sets !== undefined && !open)
      await this.#permits.requireSet(this.#db, caller, { [action.sets]: body }, target);
    const answer = await handler(caller, { ...call, body });
    return action.answersDocument ? { [this.resource.name]: this.#shown(caller, answer as Document) } : answer;
  }

  async #targetOf(
    caller: Caller,
    { id, parent }: { readonly id: string; readonly parent?: string | undefined },
    { notFound, denied }: Action,
  ): Promise<Target> {
    try {
      const above = await this.#above(this.#db, caller, parent);
      return { ...above, ...(await this.#require(this.#db, caller, id, parent, above)) };
    } catch (error) {
      if (!(error instanceof NeutronError)) throw error;
      if (notFound !== undefined && error.status === 404)
        throw neutronError(notFound, { resource: this.resource.plural, id });
      if (denied !== undefined && error.status === 403) throw neutronError(denied);
      throw error;
    }
  }

  /** Returns whether this is a singleton of the caller's own project which needs no rule to be read. */
  #isOwn(caller: Caller, id: string): boolean {
    return this.resource.ownReadable === true && id === caller.projectId;
  }

  /** Performs a change with its notifications; singletons, such as quotas, have none, as in Neutron, nor have extensions of Neutrino. */
  #announced<T>(
    caller: Caller,
    method: 'create' | 'update' | 'delete',
    start: Document,
    end: (result: T) => Document,
    perform: (commit: Commit<T>) => Promise<T>,
  ): Promise<T> {
    const { name, singleton, base } = this.resource;
    const change = singleton || base !== undefined ? undefined : { name: `${name}.${method}`, start };
    return announced(this.#services.core, caller, change, end, perform);
  }

  /** Returns what a notification shows of a resource that is about to be deleted; undefined if nobody is notified. */
  async #lastWords(trx: Trx, caller: Caller, id: string): Promise<Document | undefined> {
    if (!areChangesNotified(this.#services.core.config)) return undefined;
    const document = (await this.#module.load(trx, [id], { caller })).get(id);
    return document && this.#shown(caller, document);
  }

  get #db(): Queries {
    return this.#services.core.db.kysely;
  }

  /** Returns the handler of a declared method. Throws an Error if the module lacks it, which indicates a bug. */
  #rule<M extends 'create' | 'update' | 'delete'>(method: M): NonNullable<AnyModule[M]> {
    const rule = this.#module[method];
    if (!rule) throw new Error(`${this.resource.name} declares ${method} and has no rule for it`);
    return rule.bind(this.#module) as NonNullable<AnyModule[M]>;
  }

  /** Returns a document without the attributes that the caller may not see. */
  #shown(caller: Caller, document: Document): Document {
    return without(document, [...this.#unshown, ...this.#permits.hidden(caller, document)]);
  }

  /** As `#shown`, for many. */
  #shownAll(caller: Caller, documents: readonly Document[]): readonly Document[] {
    if (this.#permits.hidesByDocument) return documents.map((document) => this.#shown(caller, document));
    // The same attributes of all of them.
    const hidden = [...this.#unshown, ...this.#permits.hidden(caller, {})];
    return hidden.length === 0 ? documents : documents.map((document) => blanked(document, hidden));
  }

  /** Returns the attribute that a child's path sets. */
  #placed(parent: string | undefined): Document {
    const { parent: declared } = this.resource;
    return declared?.inPath && parent !== undefined ? { [declared.by]: parent } : {};
  }

  /** Returns conditions on the rows that the caller may see, below the parent in the path. */
  #seen(caller: Caller, parent: string | undefined): readonly Condition[] {
    const module = this.#module;
    const visible = seesAll(caller)
      ? undefined
      : module.visible
        ? module.visible(caller)
        : ownOrShared(module.resource, caller);
    const placed = Object.entries(this.#placed(parent)).map(([name, id]) => this.#is(name, String(id)));
    return [...placed, ...(visible ? [visible] : [])];
  }

  #is(name: string, value: string): Condition {
    const attribute = this.#module.resource.attributes[name];
    return attribute ? columnIn(columnOf(this.#module.resource, attribute), [value]) : sql`1 = 0`;
  }

  /** Returns what rules of the policy may compare of the parent in the path. Throws its NotFound if the caller may not see it. */
  async #above(db: Queries, caller: Caller, parent: string | undefined): Promise<Target> {
    if (parent === undefined || !this.#parent) return {};
    const above = await this.#parent.#require(db, caller, parent, undefined);
    this.#module.checkParent?.(above);
    const { project_id } = above;
    return { project_id, 'ext_parent:project_id': project_id };
  }

  /** As `#above`, for a list; undefined: the list is empty. */
  async #aboveListed(db: Queries, caller: Caller, parent: string | undefined): Promise<Target | undefined> {
    try {
      return await this.#above(db, caller, parent);
    } catch (error) {
      if (isNotFound(error) && this.resource.parent?.lenient) return undefined;
      throw error;
    }
  }

  /** As `#above`, for one child. */
  async #aboveOf(db: Queries, caller: Caller, id: string, parent: string | undefined): Promise<Target> {
    const above = await this.#aboveListed(db, caller, parent);
    if (!above) throw neutronError('HTTPNotFound', { path: id });
    return above;
  }

  /**
   * As `#above`, for a new child. As in Neutron, callers who could not even create one below a parent of their own are denied before
   * the parent is looked for.
   */
  async #aboveNew(db: Queries, caller: Caller, parent: string | undefined): Promise<Target> {
    try {
      return await this.#above(db, caller, parent);
    } catch (error) {
      const action = methodAction(this.resource, 'create');
      if (isNotFound(error)) await this.#permits.require(db, caller, [action], { project_id: caller.projectId });
      throw error;
    }
  }

  /**
   * Returns the document of a resource that the caller may see. Throws NotFound. `unseen`: attributes that the policy must decide
   * without.
   */
  async #require(
    db: Queries,
    caller: Caller,
    id: string,
    parent: string | undefined,
    above: Target = {},
    unseen: readonly string[] = [],
  ): Promise<Document> {
    const document = await this.#load(db, caller, id, parent);
    if (!document) throw this.#absent(caller, id);
    if (this.#isOwn(caller, id)) return document;
    const [visible] = await this.#permits.visibleAmong(db, caller, [without(document, unseen)], above);
    if (visible) return document;
    // A singleton exists for everybody: that it does is no secret.
    if (this.resource.singleton)
      throw neutronError('PolicyNotAuthorized', { action: methodAction(this.resource, 'show') });
    if (this.resource.hidden !== undefined && !seesAll(caller)) throw this.#absent(caller, id);
    // As in Neutron: the type shows that the policy hides it, not the rows that the caller may see.
    throw neutronError('HTTPNotFound', { path: id });
  }

  #absent(caller: Caller, id: string): NeutronError {
    const { resource } = this;
    if (resource.hidden === 'HTTPNotFound' && !seesAll(caller)) return neutronError('HTTPNotFound', { path: id });
    return notFound(resource, id);
  }

  async #load(db: Queries, caller: Caller, id: string, parent: string | undefined): Promise<Document | undefined> {
    const conditions = this.#seen(caller, parent);
    const query = { ...EVERYTHING, filters: {} };
    const key = this.#is(keyOf(this.#module.resource), id);
    const [found] =
      this.resource.singleton || (conditions.length === 0 && keyOf(this.resource) === 'id')
        ? [id]
        : await listIds(db, this.#module, query, [key, ...conditions]);
    return found === undefined ? undefined : (await this.#module.load(db, [found], { caller })).get(found);
  }

  /** Throws unless the caller may do this to the resource: NotFound if it is not visible, PolicyNotAuthorized if it is. */
  async #admit(
    db: Queries | Trx,
    caller: Caller,
    method: 'update' | 'delete',
    id: string,
    parent: string | undefined,
    changes: Document = {},
  ): Promise<void> {
    const action = methodAction(this.resource, method);
    if (parent === undefined && this.#permits.unconditional(caller, action)) return;
    const above = await this.#aboveOf(db, caller, id, parent);
    // As in Neutron, an update of what is visible only by an attribute that is not shown returns 404, a delete 403.
    const unseen = method === 'update' ? this.#unshown : [];
    const document = await this.#require(db, caller, id, parent, above, unseen);
    await this.#permits.requireChange(db, caller, method, { ...above, ...document }, changes);
  }
}

const isNotFound = (error: unknown): boolean => error instanceof NeutronError && error.status === 404;

/** Throws HTTPBadRequest for a resource that a caller creates for another project without being an administrator. */
function requireOwnProject(caller: Caller, { project_id: project }: Document): void {
  if (project === undefined || project === caller.projectId || seesAll(caller)) return;
  throw neutronError('HTTPBadRequest', {
    reason: `project_id '${String(project)}': only administrators create resources for other projects`,
  });
}

/** Returns the attributes that a request sets. */
const named = (body: unknown): readonly string[] =>
  body !== null && typeof body === 'object' ? Object.keys(body) : [];

function countBy(values: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}
