import type { RawBuilder } from 'kysely';
import type { Caller } from '../auth/contract.ts';
import type { Queries, Trx } from '../db/database.ts';
import type { AttributeType, CreateOf, DocumentOf, Resource, UpdateOf } from '../resources/attribute.ts';
import type { Condition, Conditions, ListQuery } from '../store/listing.ts';

/** A document, as shown by the API. */
export type Document = Readonly<Record<string, unknown>>;

type BodyOf<A> = A extends { readonly body: AttributeType<infer B, infer _> } ? B : undefined;

/** A call of an action. */
export interface ActionCall<Body = unknown> {
  /** Id of the resource. */
  readonly id: string;
  /** Values of the parameters in the action's path. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly body: Body;
  /** Required revision of the resource (If-Match). */
  readonly revision: number | undefined;
  /** Id in the path of a child below its parent. */
  readonly parent?: string | undefined;
}

/** Handles an action; returns its response. Typed as a method, so that the handlers of all resources fit one list. */
type Handler<Body> = { handle(caller: Caller, call: ActionCall<Body>): Promise<unknown> }['handle'];

/** Handlers of the declared actions of a resource. */
export type HandlersOf<R> = R extends { readonly actions: infer A }
  ? { readonly [K in keyof A]: Handler<BodyOf<A[K]>> }
  : undefined;

/** For whom documents are loaded. */
export interface View {
  /** Attributes such as `shared` depend on who looks; absent: Neutrino itself, for agents. */
  readonly caller?: Caller;
  /** The list that they are loaded for. */
  readonly query?: ListQuery;
}

/** What a module that answers shows itself is given. */
interface OwnShow {
  /** Attributes that the request names; undefined: all. */
  readonly fields: readonly string[] | undefined;
  /** Throws PolicyNotAuthorized unless the caller may do this to the target. */
  permit(method: 'show' | 'create', target: Document): Promise<void>;
}

/**
 * The rules of one resource: with its declaration, everything that the API needs. `src/plugin/resources.ts` lists the modules.
 * Routes, lists, tags, policy, OpenAPI and the extension list derive from the two. Every method MUST throw NeutronError for
 * errors of the caller, and MUST then change nothing; those with a `trx` run in a transaction that is rolled back if they
 * throw.
 */
export interface ResourceModule<R extends Resource = Resource> {
  readonly resource: R;
  /** Rows of a resource without a table: `from (select ...) as <table>`. */
  readonly source?: RawBuilder<unknown>;
  /** Filters that are not plain columns. */
  readonly conditions?: Conditions;
  /**
   * Condition on the rows that the caller may see, added to every query; default: the caller's own and those shared with it
   * (`ownOrShared`). Never called for callers who see everything.
   */
  visible?(caller: Caller): Condition;
  /**
   * Returns the projects that use a resource, with repetitions or without: access by an RBAC entry that one of them needs cannot be
   * withdrawn. `*`: all projects must keep access. Required for resources that can be shared.
   */
  usersOf?(trx: Trx, id: string, action: string): Promise<readonly string[]>;
  /** Throws NeutronError if a resource must not be shared with a project (`*`: all), because that project could not use it. */
  requireShareable?(trx: Trx, id: string, target: string): Promise<void>;
  /** Runs after RBAC entries of a resource were added, changed or removed through rbac-policies, in the same transaction. */
  entriesChanged?(trx: Trx, id: string): Promise<void>;
  /** Runs before a list, outside of any transaction. */
  prepareList?(caller: Caller, query: ListQuery): Promise<void>;
  /** Throws NeutronError if the parent in the path, which the caller may see, cannot have children. */
  checkParent?(parent: Document): void;
  /** Loads documents by id; missing ones are omitted. */
  load(db: Queries, ids: readonly string[], view?: View): Promise<ReadonlyMap<string, DocumentOf<R>>>;
  /**
   * Answers a show, and with it everything that is otherwise done before: for resources that are created when they are first asked
   * for. Default: the document of `load`.
   */
  show?(caller: Caller, id: string, show: OwnShow): Promise<Document>;
  /** Throws for resources that one request must not create together. */
  checkTogether?(all: readonly CreateOf<R>[]): void;
  /** Runs before the policy decides on creates: throws if the caller cannot create anything there, such as on a network of others. */
  admitCreate?(db: Queries, caller: Caller, items: readonly CreateOf<R>[]): Promise<void>;
  create?(trx: Trx, caller: Caller, values: CreateOf<R>): Promise<DocumentOf<R>>;
  /** Whether `create` reserves the quota of what it creates, with a limit that it looks up together with other facts. */
  readonly reservesQuota?: true;
  /** `revision`: required revision of the resource (If-Match); `parent`: id in the path of a child below its parent. */
  update?(
    trx: Trx,
    caller: Caller,
    id: string,
    changes: UpdateOf<R>,
    revision?: number,
    parent?: string,
  ): Promise<DocumentOf<R>>;
  /** Runs before `delete`, outside its transaction. */
  prepareDelete?(caller: Caller, id: string): Promise<void>;
  delete?(trx: Trx, caller: Caller, id: string, revision?: number, parent?: string): Promise<void>;
  /** Handlers of the declared actions. They run only for resources that are visible to the caller. */
  readonly actions?: HandlersOf<R>;
}

/** A module of any resource. */
export interface AnyModule {
  readonly resource: Resource;
  readonly source?: RawBuilder<unknown>;
  readonly conditions?: Conditions;
  visible?(caller: Caller): Condition;
  usersOf?(trx: Trx, id: string, action: string): Promise<readonly string[]>;
  requireShareable?(trx: Trx, id: string, target: string): Promise<void>;
  entriesChanged?(trx: Trx, id: string): Promise<void>;
  prepareList?(caller: Caller, query: ListQuery): Promise<void>;
  checkParent?(parent: Document): void;
  load(db: Queries, ids: readonly string[], view?: View): Promise<ReadonlyMap<string, Document>>;
  show?(caller: Caller, id: string, show: OwnShow): Promise<Document>;
  checkTogether?(all: readonly Document[]): void;
  admitCreate?(db: Queries, caller: Caller, items: readonly Document[]): Promise<void>;
  create?(trx: Trx, caller: Caller, values: Document): Promise<Document>;
  readonly reservesQuota?: true;
  update?(
    trx: Trx,
    caller: Caller,
    id: string,
    changes: Document,
    revision?: number,
    parent?: string,
  ): Promise<Document>;
  prepareDelete?(caller: Caller, id: string): Promise<void>;
  delete?(trx: Trx, caller: Caller, id: string, revision?: number, parent?: string): Promise<void>;
  readonly actions?: Readonly<Record<string, Handler<unknown>>> | undefined;
}

/** Returns the document that the transaction has just written. Throws an Error if it is missing, which indicates a bug. */
export function inserted<D>(document: D | undefined, resource: string, id: string): D {
  if (document === undefined) throw new Error(`${resource} ${id} is missing in the transaction that wrote it`);
  return document;
}
