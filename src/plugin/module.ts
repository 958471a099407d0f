import type { RawBuilder } from 'kysely';
import type { Caller } from '../auth/contract.ts';
import type { Queries, Trx } from '../db/database.ts';
import type { AttributeType, CreateOf, DocumentOf, Resource, UpdateOf } from '../resources/attribute.ts';
import type { Condition, Conditions, ListQuery } from '../store/listing.ts';

/** A document as the API shows it. */
export type Document = Readonly<Record<string, unknown>>;

type BodyOf<A> = A extends { readonly body: AttributeType<infer B, infer _> } ? B : undefined;

/** A call of an action. */
export interface ActionCall<Body = unknown> {
  /** The resource that it is done to. */
  readonly id: string;
  /** Values of the parameters in the action's path. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly body: Body;
  /** Revision that the resource must have (If-Match). */
  readonly revision: number | undefined;
}

/** Handles an action; returns its answer. A method, so that the handlers of all resources fit one list. */
type Handler<Body> = { handle(caller: Caller, call: ActionCall<Body>): Promise<unknown> }['handle'];

/** Handlers of the actions that a resource declares. */
export type HandlersOf<R> = R extends { readonly actions: infer A }
  ? { readonly [K in keyof A]: Handler<BodyOf<A[K]>> }
  : undefined;

/**
 * The rules of one resource: all that the API needs beside its declaration. `src/plugin/resources.ts` lists the modules. Routes, lists, tags,
 * policy, OpenAPI and the extension list derive from the two. Every method MUST throw NeutronError for what the caller did
 * wrong, and MUST leave no change then; those with a `trx` run in a transaction that is undone when they throw.
 */
export interface ResourceModule<R extends Resource = Resource> {
  readonly resource: R;
  /** Rows of a resource that has no table: `from (select ...) as <table>`. */
  readonly source?: RawBuilder<unknown>;
  /** Filters that are no plain column. */
  readonly conditions?: Conditions;
  /** Which rows the caller may see, put into every query; default: all. Never asked for administrators. */
  visible?(caller: Caller): Condition;
  /** Loads documents by id; those that do not exist are left out. `query`: the list that they are loaded for. */
  load(db: Queries, ids: readonly string[], query?: ListQuery): Promise<ReadonlyMap<string, DocumentOf<R>>>;
  create?(trx: Trx, caller: Caller, values: CreateOf<R>): Promise<DocumentOf<R>>;
  /** `revision`: the change is made only while the resource has this revision (If-Match). */
  update?(trx: Trx, caller: Caller, id: string, changes: UpdateOf<R>, revision?: number): Promise<DocumentOf<R>>;
  /** Runs before `delete`, outside of its transaction. */
  prepareDelete?(caller: Caller, id: string): Promise<void>;
  delete?(trx: Trx, caller: Caller, id: string, revision?: number): Promise<void>;
  /** Handlers of the declared actions. The resource is known to be visible to the caller. */
  readonly actions?: HandlersOf<R>;
}

/** Any module, as what serves all of them knows it. */
export interface AnyModule {
  readonly resource: Resource;
  readonly source?: RawBuilder<unknown>;
  readonly conditions?: Conditions;
  visible?(caller: Caller): Condition;
  load(db: Queries, ids: readonly string[], query?: ListQuery): Promise<ReadonlyMap<string, Document>>;
  create?(trx: Trx, caller: Caller, values: Document): Promise<Document>;
  update?(trx: Trx, caller: Caller, id: string, changes: Document, revision?: number): Promise<Document>;
  prepareDelete?(caller: Caller, id: string): Promise<void>;
  delete?(trx: Trx, caller: Caller, id: string, revision?: number): Promise<void>;
  readonly actions?: Readonly<Record<string, Handler<unknown>>> | undefined;
}

/** The document of what the transaction has just written. Throws an Error when it is missing: that never happens. */
export function inserted<D>(document: D | undefined, resource: string, id: string): D {
  if (document === undefined) throw new Error(`${resource} ${id} is missing in the transaction that wrote it`);
  return document;
}
