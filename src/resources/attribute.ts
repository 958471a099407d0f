/**
 * How resources are declared. One declaration a resource; validation, defaults, filters, sorting, fields, error texts,
 * storage, policy, OpenAPI, the extension list and what agents are notified of all derive from it.
 */
import type { Action } from './action.ts';
import type { Extension } from './extensions.ts';

/** A value as a column holds it. */
export type Stored = string | number | null;

/** A JSON Schema, for OpenAPI. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** The type of an attribute's value: `In` as requests set it, `Out` as answers show it. */
export interface AttributeType<In = unknown, Out = In> {
  readonly schema: JsonSchema;
  /** The schema of answers; default: `schema`. */
  readonly answerSchema?: JsonSchema;
  /**
   * Turns a value of a request body into the value that rules work with.
   * Throws NeutronError (HTTPBadRequest or InvalidInput, as Neutron does for this type) naming attribute and value.
   */
  parse(value: unknown, attribute: string): In;
  /** Turns the text of a query filter into what the column holds; undefined when no row can match. */
  filter?(text: string): Stored | undefined;
  /** Turns a value into what the column holds; default: the value itself. */
  store?(value: Out): Stored;
  /** Turns what the column holds into the value; default: the stored value itself. Never called with null. */
  load?(stored: string | number): Out;
}

/** Kinds of agents that can be interested in a change of an attribute. */
export type Listener = 'dhcp' | 'l2';

/** A rule of the default policy, by name (`src/auth/policy.ts` says what each demands). */
export type PolicyRule = 'anybody' | 'owner' | 'admin';

export interface Attribute<In = unknown, Out = unknown> {
  readonly type: AttributeType<In, Out>;
  /** May be set on create; with neither `default` nor `optional` it must be. */
  readonly post?: boolean;
  /** May be set on update. */
  readonly put?: boolean;
  /** Value of a create that does not name it. */
  readonly default?: In;
  /** A create may omit it; the rules then decide (Neutron's ATTR_NOT_SPECIFIED). */
  readonly optional?: boolean;
  /** Whether answers show it; `sometimes`: only some documents have it. Default: true. */
  readonly visible?: boolean | 'sometimes';
  /**
   * Column that stores it, `table.column`: of the resource's table, of standardattributes or of one of its side tables. Insert,
   * update, select, filters and sorting derive from it. Without a column they need rules in src/plugin.
   */
  readonly column?: string;
  /** Value of resources that have no row in the column's side table. */
  readonly absent?: Out;
  /** Whether a list can be filtered by it; default: true, given a column. */
  readonly filter?: boolean;
  /** Whether a list can be sorted by it; default: false. */
  readonly sort?: boolean;
  /** Agents that must be notified when it changes; default: none. */
  readonly tells?: readonly Listener[];
  /** Who may set it on create and update, and see it; default: whoever may create, update and see the resource. */
  readonly policy?: { readonly create?: PolicyRule; readonly update?: PolicyRule; readonly show?: PolicyRule };
  /** Alias of the extension that brings it; absent for the core API. */
  readonly extension?: string;
  readonly help: string;
}

export type Attributes = Readonly<Record<string, Attribute>>;

export type Method = 'create' | 'list' | 'show' | 'update' | 'delete';

/** A table that stores some attributes of a resource in a row of its own. */
export interface SideTable {
  /** Column that holds the resource's id. */
  readonly key: string;
  /** Every resource has a row; default: a row exists only while its attributes differ from their `absent` values. */
  readonly always?: boolean;
  /** Further columns with a fixed value; a row with another value is not this resource's. */
  readonly constants?: Readonly<Record<string, Stored>>;
}

/** The resource that a child belongs to. */
export interface Parent {
  /** `name` of the parent. */
  readonly name: string;
  /** Attribute of the child that holds the parent's id. */
  readonly by: string;
  /**
   * The child's path lies below its parent's: `/v2.0/<parent path>/{id}/<path>`. The parent must be visible to the caller, and `by` is
   * taken from the path. Default: false, the child has a path of its own and `by` is set like any attribute.
   */
  readonly inPath?: boolean;
}

export interface Resource<A extends Attributes = Attributes> {
  /** Key of one in bodies: `port`. */
  readonly name: string;
  /** Key of many in bodies: `ports`. */
  readonly plural: string;
  /** Path below /v2.0, or below its parent's path: the plural with hyphens. */
  readonly path: string;
  /** Attribute that identifies one in paths; default: `id`. */
  readonly key?: string;
  /** One exists for every key, stored or not, as `/quotas/{project}`: nothing is not found. */
  readonly singleton?: boolean;
  /** Table that holds one row for each; absent for resources that are computed. */
  readonly table?: string;
  /** Further tables of its attributes, by name. */
  readonly sides?: Readonly<Record<string, SideTable>>;
  /** `resource_type` in standardattributes; absent for resources without standard attributes. */
  readonly standardAttributes?: string;
  /** It has tags, with their routes and filters. */
  readonly tagged?: boolean;
  /** It is counted against quotas, under its name. */
  readonly quota?: boolean;
  readonly parent?: Parent;
  /** What an API caller may do with it. */
  readonly methods: readonly Method[];
  /** Who may do it; default: `anybody` for list and show (what is not visible is not found), `owner` for the others. */
  readonly policy?: Readonly<Partial<Record<Method, PolicyRule>>>;
  /** Further operations on one of them, by name. */
  readonly actions?: Readonly<Record<string, Action>>;
  readonly attributes: A;
  readonly extension?: string;
  /** Extensions that come with the resource, beside those of `EXTENSIONS`. */
  readonly brings?: readonly Extension[];
  readonly help: string;
}

/** Declares a resource; keeps the literal types for `CreateOf`, `UpdateOf` and `DocumentOf`. */
export const resource = <const R extends Resource>(declaration: R): R => declaration;

/** Name of the attribute that identifies a resource in paths. */
export const keyOf = (resource: Resource): string => resource.key ?? 'id';

type In<X> = X extends { readonly type: AttributeType<infer T, infer _> } ? T : never;
type Out<X> = X extends { readonly type: AttributeType<infer _, infer T> } ? T : never;
type Keys<A, Condition> = { [K in keyof A]: A[K] extends Condition ? K : never }[keyof A];
type Flat<T> = { [K in keyof T]: T[K] };
type AttributesOf<R> = R extends { readonly attributes: infer A } ? A : never;
type Having<A, Condition> = Extract<keyof A, Keys<A, Condition>>;
type Lacking<A, Condition> = Exclude<keyof A, Keys<A, Condition>>;

/** Values of a body's attributes after validation: those with `post`, optional ones may be missing. */
export type BodyOf<A> = Flat<
  { readonly [K in Exclude<Having<A, { post: true }>, Keys<A, { optional: true }>>]: In<A[K]> } & {
    readonly [K in Extract<Having<A, { post: true }>, Keys<A, { optional: true }>>]?: In<A[K]>;
  }
>;

/** The attribute that the path of a child below its parent sets. */
type PlacedOf<R> = R extends { readonly parent: { readonly by: infer By extends string; readonly inPath: true } }
  ? Readonly<Record<By, string>>
  : unknown;

/**
 * What a validated create holds: all settable attributes with their defaults, and those that the path sets; optional ones may be missing.
 */
export type CreateOf<R> = Omit<BodyOf<AttributesOf<R>>, 'project_id' | 'tenant_id'> &
  PlacedOf<R> & { readonly project_id: string; readonly tenant_id: string };

/** What a validated update holds: the settable attributes that the request names. */
export type UpdateOf<R> = {
  readonly [K in Having<AttributesOf<R>, { put: true }>]?: In<AttributesOf<R>[K]>;
};

/** An answer: every declared attribute that is visible; those shown `sometimes` may be missing. */
export type DocumentOf<R> = ShownOf<AttributesOf<R>>;

type ShownOf<A> = Flat<
  {
    readonly [K in Lacking<A, { visible: false } | { visible: 'sometimes' }>]: Out<A[K]>;
  } & { readonly [K in Having<A, { visible: 'sometimes' }>]?: Out<A[K]> }
>;

/** All attributes with a column, as rules hold them. */
export type ColumnsOf<R> = {
  readonly [K in Having<AttributesOf<R>, { column: string }>]: Out<AttributesOf<R>[K]>;
};

/** The attributes with a column that answers show: what a select of the resource's rows alone can answer. */
export type ShownColumnsOf<R> = {
  readonly [K in Exclude<Having<AttributesOf<R>, { column: string }>, Keys<AttributesOf<R>, { visible: false }>>]: Out<
    AttributesOf<R>[K]
  >;
};
