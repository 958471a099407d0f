import { sql } from 'kysely';
import type { Caller } from '../auth/contract.ts';
import { methodAction, type Policy } from '../auth/policy.ts';
import type { Queries, Trx } from '../db/database.ts';
import { actionPolicy } from '../resources/action.ts';
import { type Action, keyOf, type Method, type Resource } from '../resources/attribute.ts';
import { NeutronError, neutronError, notFound } from '../resources/errors.ts';
import { validateCreate, validateUpdate } from '../resources/validate.ts';
import { columnOf } from '../store/layout.ts';
import { type Condition, columnIn, isFilter, type ListQuery, listIds, loadInOrder } from '../store/listing.ts';
import type { Core } from './core.ts';
import type { AnyModule, Document } from './module.ts';
import type { Quotas } from './quota.ts';

/** The dependencies of all services. */
export interface Services {
  readonly core: Core;
  readonly policy: Policy;
  readonly quotas: Quotas;
}

const EVERYTHING: Pick<ListQuery, 'sorts' | 'pageReverse'> = { sorts: [], pageReverse: false };

/**
 * The operations on one resource: its module, behind policy, visibility, quotas and validation, with each change in a
 * transaction. `parent`: id in the path of a child below its parent. All methods throw NeutronError for errors of the caller.
 */
export class Service {
  readonly #services: Services;
  readonly #module: AnyModule;
  readonly #parent: Service | undefined;
  /** Names of the methods in the policy. */
  readonly #actions: Readonly<Record<Method, string>>;
  /** Attributes of the module that this server does not serve. */
  readonly #unserved: readonly string[];
  readonly resource: Resource;

  /** `resource`: the part of the module's declaration that this server serves. */
  constructor(services: Services, module: AnyModule, resource: Resource, parent?: Service) {
    this.#services = services;
    this.#module = module;
    this.#parent = parent;
    this.resource = resource;
    const action = (method: Method) => methodAction(resource, method);
    this.#actions = {
      create: action('create'),
      list: action('list'),
      show: action('show'),
      update: action('update'),
      delete: action('delete'),
    };
    this.#unserved = Object.keys(module.resource.attributes).filter((name) => !(name in resource.attributes));
  }

  /** Returns whether lists can be filtered by this name. */
  isFilter(name: string): boolean {
    return !this.#unserved.includes(name) && isFilter(this.#module, name);
  }

  /** Names of filters that are not attributes. */
  get furtherFilters(): readonly string[] {
    return Object.keys(this.#module.conditions ?? {});
  }

  async list(caller: Caller, query: ListQuery, parent?: string): Promise<readonly Document[]> {
    const db = this.#db;
    this.#authorize(caller, 'list');
    await this.#requireParent(db, caller, parent);
    const ids = await listIds(db, this.#module, query, this.#seen(caller, parent));
    const documents = await loadInOrder(ids, (some) => this.#module.load(db, some, query));
    const hidden = this.#hidden(caller);
    return hidden.length === 0 ? documents : documents.map((document) => without(document, hidden));
  }

  async show(caller: Caller, id: string, parent?: string): Promise<Document> {
    await this.#requireParent(this.#db, caller, parent);
    const document = await this.#load(this.#db, caller, id, parent);
    this.#authorize(caller, 'show', document);
    return without(document, this.#hidden(caller));
  }

  /** Creates all or none; returns their documents in order. */
  async create(caller: Caller, bodies: readonly unknown[], parent?: string): Promise<readonly Document[]> {
    const { core, policy, quotas } = this.#services;
    const { resource } = this;
    const items = bodies.map((body) => {
      const values = validateCreate(resource, body, caller.projectId, this.#placed(parent));
      this.#authorize(caller, 'create', values);
      if (!caller.isAdmin) policy.authorizeAttributes(caller, resource, 'create', named(body), values);
      return values;
    });
    const documents = await core.db.transaction(async (trx) => {
      await this.#requireParent(trx, caller, parent);
      if (resource.quota)
        for (const [project, count] of countBy(items.map((values) => String(values.project_id))))
          await quotas.reserve(trx, resource.name, project, count);
      const create = this.#rule('create');
      const made: Document[] = [];
      for (const values of items) made.push(await create(trx, caller, values));
      return made;
    });
    const hidden = this.#hidden(caller);
    return documents.map((document) => without(document, hidden));
  }

  async update(caller: Caller, id: string, body: unknown, revision?: number, parent?: string): Promise<Document> {
    const changes = validateUpdate(this.resource, body);
    const document = await this.#services.core.db.transaction(async (trx) => {
      await this.#admit(trx, caller, 'update', id, parent, Object.keys(changes));
      return this.#rule('update')(trx, caller, id, changes, revision);
    });
    return without(document, this.#hidden(caller));
  }

  async delete(caller: Caller, id: string, revision?: number, parent?: string): Promise<void> {
    if (this.#module.prepareDelete) {
      await this.#admit(this.#db, caller, 'delete', id, parent);
      await this.#module.prepareDelete(caller, id);
    }
    await this.#services.core.db.transaction(async (trx) => {
      await this.#admit(trx, caller, 'delete', id, parent);
      await this.#rule('delete')(trx, caller, id, revision);
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
    },
  ): Promise<unknown> {
    const action = this.resource.actions?.[name];
    const handler = this.#module.actions?.[name];
    if (!action || !handler) throw new Error(`${this.resource.name} has no action ${name}, or no handler for it`);
    const rule = actionPolicy(name, action);
    // For administrators the handler alone decides whether the resource exists.
    const target = caller.isAdmin || action.anyId ? {} : await this.#targetOf(caller, call.id, action);
    this.#services.policy.authorize(caller, rule, target);
    return handler(caller, { ...call, body: action.body?.parse(call.body, rule) });
  }

  async #targetOf(caller: Caller, id: string, { notFound }: Action): Promise<Document> {
    try {
      return await this.#load(this.#db, caller, id);
    } catch (error) {
      if (notFound === undefined || !(error instanceof NeutronError) || error.status !== 404) throw error;
      throw neutronError(notFound, { resource: this.resource.plural, id });
    }
  }

  get #db(): Queries {
    return this.#services.core.db.kysely;
  }

  #authorize(caller: Caller, method: Method, target: Document = {}): void {
    this.#services.policy.authorize(caller, this.#actions[method], target);
  }

  /** Returns the handler of a declared method. Throws an Error if the module lacks it, which indicates a bug. */
  #rule<M extends 'create' | 'update' | 'delete'>(method: M): NonNullable<AnyModule[M]> {
    const rule = this.#module[method];
    if (!rule) throw new Error(`${this.resource.name} declares ${method} and has no rule for it`);
    return rule.bind(this.#module) as NonNullable<AnyModule[M]>;
  }

  #hidden(caller: Caller): readonly string[] {
    const { policy } = this.#services;
    return caller.isAdmin ? this.#unserved : [...this.#unserved, ...policy.hidden(caller, this.resource)];
  }

  /** Returns the attribute that a child's path sets. */
  #placed(parent: string | undefined): Document {
    const { parent: declared } = this.resource;
    return declared?.inPath && parent !== undefined ? { [declared.by]: parent } : {};
  }

  /** Returns conditions on the rows that the caller may see, below the parent in the path. */
  #seen(caller: Caller, parent: string | undefined): readonly Condition[] {
    const visible = caller.isAdmin ? undefined : this.#module.visible?.(caller);
    const placed = Object.entries(this.#placed(parent)).map(([name, id]) => this.#is(name, String(id)));
    return [...placed, ...(visible ? [visible] : [])];
  }

  #is(name: string, value: string): Condition {
    const attribute = this.#module.resource.attributes[name];
    return attribute ? columnIn(columnOf(this.#module.resource, attribute), [value]) : sql`1 = 0`;
  }

  /** Throws the parent's NotFound unless the caller may see the parent in the path. */
  async #requireParent(db: Queries, caller: Caller, parent: string | undefined): Promise<void> {
    if (parent !== undefined && this.#parent) await this.#parent.#load(db, caller, parent);
  }

  /** Returns the document of a resource that the caller may see. Throws NotFound. */
  async #load(db: Queries, caller: Caller, id: string, parent?: string): Promise<Document> {
    const conditions = this.#seen(caller, parent);
    const query = { ...EVERYTHING, filters: {} };
    const key = this.#is(keyOf(this.#module.resource), id);
    const [found] =
      this.resource.singleton || (conditions.length === 0 && keyOf(this.resource) === 'id')
        ? [id]
        : await listIds(db, this.#module, query, [key, ...conditions]);
    const document = found === undefined ? undefined : (await this.#module.load(db, [found])).get(found);
    if (!document) throw notFound(this.#module.resource.name, id);
    return document;
  }

  /** Throws unless the caller may do this to the resource: NotFound if it is not visible, PolicyNotAuthorized if it is. */
  async #admit(
    db: Queries | Trx,
    caller: Caller,
    method: 'update' | 'delete',
    id: string,
    parent: string | undefined,
    names: readonly string[] = [],
  ): Promise<void> {
    if (caller.isAdmin && parent === undefined) return this.#authorize(caller, method);
    await this.#requireParent(db, caller, parent);
    const target = await this.#load(db, caller, id, parent);
    this.#authorize(caller, method, target);
    if (method === 'update') this.#services.policy.authorizeAttributes(caller, this.resource, 'update', names, target);
  }
}

/** Returns the attributes that a request sets. */
const named = (body: unknown): readonly string[] =>
  body !== null && typeof body === 'object' ? Object.keys(body) : [];

/** Returns a document without some of its attributes. */
function without(document: Document, names: readonly string[]): Document {
  if (names.length === 0) return document;
  const copy: Record<string, unknown> = { ...document };
  for (const name of names) delete copy[name];
  return copy;
}

function countBy(values: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}
