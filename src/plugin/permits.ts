import { sql } from 'kysely';
import type { Caller } from '../auth/contract.ts';
import { methodAction, type Policy, type Target } from '../auth/policy.ts';
import type { Queries } from '../db/database.ts';
import type { Resource } from '../resources/attribute.ts';
import { NeutronError, neutronError } from '../resources/errors.ts';
import type { ListQuery } from '../store/listing.ts';
import type { Document } from './module.ts';
import { sharedAmong } from './rbac/sharing.ts';

interface Dependencies {
  readonly policy: Policy;
  readonly resources: ReadonlyMap<string, Resource>;
}

/** Maximum number of ids in one query. */
const CHUNK = 500;

/**
 * What callers may do with one resource. Rules are first evaluated on what is known; only a denial loads the related resources
 * whose project the rule compares, for all documents at once.
 */
export class Permits {
  readonly #policy: Policy;
  readonly #resources: ReadonlyMap<string, Resource>;
  readonly #resource: Resource;
  readonly #show: string;
  readonly #create: string;
  /** What callers see of a resource depends on each document. */
  readonly hidesByDocument: boolean;

  constructor({ policy, resources }: Dependencies, resource: Resource) {
    this.#policy = policy;
    this.#resources = resources;
    this.#resource = resource;
    this.#show = methodAction(resource, 'show');
    this.#create = methodAction(resource, 'create');
    this.hidesByDocument = policy.masksEach(resource);
  }

  /** Returns whether an administrator may do this whatever the target is: its document need not be loaded. */
  unconditional(caller: Caller, action: string): boolean {
    return (
      caller.isAdmin && this.#policy.allowsAdministrators && this.#policy.inScope(caller) && this.#policy.has(action)
    );
  }

  /** Returns the attributes that the caller may not see in a document. */
  hidden(caller: Caller, document: Document): readonly string[] {
    return this.#policy.hidden(caller, this.#resource, document);
  }

  /** Throws PolicyNotAuthorized unless the caller may perform all the actions on the target. */
  async require(db: Queries, caller: Caller, actions: readonly string[], target: Target): Promise<void> {
    const denied = actions.filter((action) => !this.#policy.allows(caller, action, target));
    if (denied.length === 0) return;
    const full = await this.#related(db, caller, denied, [target]);
    for (const action of denied) this.#policy.authorize(caller, action, full[0]);
  }

  /** Throws PolicyNotAuthorized if the caller may not do this to any target: before anything is looked up. */
  requirePossible(caller: Caller, action: string): void {
    if (!this.#policy.dependsOnTarget(action)) this.#policy.authorize(caller, action);
  }

  /** Throws PolicyNotAuthorized unless the caller may create this; `names`: the attributes that the request sets. */
  async requireCreate(
    db: Queries,
    caller: Caller,
    values: Document,
    names: readonly string[],
    above: Target,
  ): Promise<void> {
    const action = this.#create;
    if (this.unconditional(caller, action)) return;
    const set = Object.fromEntries(names.filter((name) => name in values).map((name) => [name, values[name]]));
    const attributes = this.#policy.attributeActions(this.#resource, 'create', set);
    await this.require(db, caller, [action, ...attributes], { ...above, ...values });
  }

  /** Throws PolicyNotAuthorized unless the caller may update or delete a resource. */
  async requireChange(
    db: Queries,
    caller: Caller,
    method: 'update' | 'delete',
    document: Target,
    changes: Document,
  ): Promise<void> {
    const attributes = this.#policy.attributeActions(this.#resource, 'update', changes);
    const target = { ...document, ...changes };
    try {
      await this.require(db, caller, [methodAction(this.#resource, method), ...attributes], target);
    } catch (error) {
      // As in Neutron: what the caller would not see after the change does not exist for it.
      const denied = error instanceof NeutronError && error.status === 403 && !this.#resource.singleton;
      if (!denied || (await this.#sees(db, caller, target))) throw error;
      throw neutronError('HTTPNotFound', { path: `${this.#resource.plural}/${document.id}` });
    }
  }

  /** Throws PolicyNotAuthorized unless the caller may set these attributes by an update. */
  requireSet(db: Queries, caller: Caller, changes: Document, target: Target): Promise<void> {
    return this.require(db, caller, this.#policy.attributeActions(this.#resource, 'update', changes), target);
  }

  async #sees(db: Queries, caller: Caller, target: Target): Promise<boolean> {
    if (this.#policy.allows(caller, this.#show, target)) return true;
    const [full] = await this.#related(db, caller, [this.#show], [target]);
    return this.#policy.allows(caller, this.#show, full);
  }

  /** Returns the documents that the caller may see, in order. `above`: of the parent in the path. */
  async visibleAmong(
    db: Queries,
    caller: Caller,
    documents: readonly Document[],
    above: Target,
  ): Promise<readonly Document[]> {
    if (documents.length === 0 || this.unconditional(caller, this.#show)) return documents;
    if (!this.#policy.dependsOnTarget(this.#show)) return this.#policy.allows(caller, this.#show) ? documents : [];
    const inPath = Object.keys(above).length > 0;
    const targets = inPath ? documents.map((document) => ({ ...above, ...document })) : documents;
    const allowed = targets.map((target) => this.#policy.allows(caller, this.#show, target));
    const denied = targets.filter((_, i) => !allowed[i]);
    if (denied.length === 0) return documents;
    const related = await this.#related(db, caller, [this.#show], denied);
    let at = 0;
    return documents.filter((_, i) => allowed[i] || this.#policy.allows(caller, this.#show, related[at++]));
  }

  /** Returns whether a list is filtered by an attribute that the caller may not see. */
  filtersHidden(caller: Caller, { filters }: ListQuery): boolean {
    const names = Object.keys(filters);
    return names.length > 0 && this.hidden(caller, {}).some((name) => names.includes(name));
  }

  /** Throws HTTPBadRequest for a sort key that the caller may not see: the order would reveal its values. */
  requireSorts(caller: Caller, { sorts }: ListQuery): void {
    if (sorts.length === 0) return;
    const hidden = this.hidden(caller, {});
    const wrong = sorts.find(({ attribute }) => hidden.includes(attribute));
    if (wrong)
      throw neutronError('HTTPBadRequest', { reason: `['${wrong.attribute}'] is invalid attribute for sort_keys` });
  }

  /**
   * Returns the targets with what the rules of the actions compare of related resources: `network:project_id`, and whether the
   * network is shared with the caller.
   */
  async #related(
    db: Queries,
    caller: Caller,
    actions: readonly string[],
    targets: readonly Target[],
  ): Promise<readonly Target[]> {
    let full = targets;
    for (const resource of this.#relations(actions)) {
      const { name, table } = resource;
      const by = `${name}_id`;
      const ids = [...new Set(targets.map((target) => target[by]).filter((id) => typeof id === 'string'))];
      if (table === undefined || ids.length === 0) continue;
      const projects = new Map<string, string>();
      const shared = new Set<string>();
      for (let at = 0; at < ids.length; at += CHUNK) {
        const some = ids.slice(at, at + CHUNK);
        const { rows } = await sql<{ id: string; project: string }>`select id, project_id as project
          from ${sql.table(table)} where id in (${sql.join(some)})`.execute(db);
        for (const { id, project } of rows) projects.set(id, project);
        if (resource.sharing) for (const id of await sharedAmong(db, resource, some, { caller })) shared.add(id);
      }
      full = full.map((target) => ({
        shared: shared.has(String(target[by])),
        ...target,
        [`${name}:project_id`]: projects.get(String(target[by])),
      }));
    }
    return full;
  }

  /** Returns the other resources that the rules of the actions compare. */
  #relations(actions: readonly string[]): readonly Resource[] {
    const names = new Set(actions.flatMap((action) => this.#policy.relationsOf(action)));
    return [...this.#resources.values()].filter(
      ({ name, plural }) => (names.has(name) || names.has(plural)) && name !== this.#resource.name,
    );
  }
}
