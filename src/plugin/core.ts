import type { Logger } from 'pino';
import type { Config } from '../config/options.ts';
import type { Database } from '../db/database.ts';

/** What every rule is given: where the truth is kept, the options in force, and a log. */
export interface Core {
  readonly db: Database;
  readonly config: Config;
  readonly log: Logger;
}

/** Who asks. */
export interface RequestContext {
  /** Project that new resources belong to unless the body says otherwise. */
  readonly projectId: string;
  readonly isAdmin: boolean;
  /** `req-<uuid>`, for the log. */
  readonly requestId: string;
}

export type Document = Readonly<Record<string, unknown>>;

/** What a list asks for, already checked against the resource's declaration. */
export interface ListQuery {
  /** Values by attribute; a row matches when it has one of the values of every attribute. */
  readonly filters: Readonly<Record<string, readonly string[]>>;
  readonly sorts: readonly { readonly attribute: string; readonly descending: boolean }[];
  readonly limit?: number;
  readonly marker?: string;
  readonly pageReverse: boolean;
}

/** The rules of one resource, as the API calls them. All MUST throw NeutronError for whatever the caller did wrong. */
export interface ResourceRules {
  /** Makes all or none; gives their documents in order. */
  create?(context: RequestContext, items: readonly Readonly<Record<string, unknown>>[]): Promise<readonly Document[]>;
  list(context: RequestContext, query: ListQuery): Promise<readonly Document[]>;
  show(context: RequestContext, id: string): Promise<Document>;
  /** `revision`: the change is made only while the resource has this revision (If-Match). */
  update?(
    context: RequestContext,
    id: string,
    changes: Readonly<Record<string, unknown>>,
    revision?: number,
  ): Promise<Document>;
  delete?(context: RequestContext, id: string, revision?: number): Promise<void>;
}
