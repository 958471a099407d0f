/**
 * How attributes of resources are declared. One declaration per resource; validation, defaults, filters, sorting,
 * fields, error texts, OpenAPI and the extension list all derive from it.
 */

/** The type of an attribute's value. */
export interface AttributeType<T = unknown> {
  /** For OpenAPI: a JSON Schema. */
  readonly schema: Readonly<Record<string, unknown>>;
  /**
   * Turns a value of a request body into the value that rules work with.
   * Throws NeutronError (HTTPBadRequest or InvalidInput, as Neutron does for this type) naming attribute and value.
   */
  parse(value: unknown, attribute: string): T;
  /** Turns the text of a query filter into what the database holds; undefined when no row can match. */
  filter?(text: string): string | number | null | undefined;
}

export interface Attribute<T = unknown> {
  readonly type: AttributeType<T>;
  /** Whether it may be set on create; with neither `default` nor `optional` it must be. */
  readonly post?: boolean;
  /** Whether it may be set on update. */
  readonly put?: boolean;
  /** Value when a create does not name it. */
  readonly default?: T;
  /** A create may leave it out, and rules find out for themselves (Neutron's ATTR_NOT_SPECIFIED). */
  readonly optional?: boolean;
  /** Whether answers show it; true unless told. */
  readonly visible?: boolean;
  /** Column that filters and sorts it, `table.column`; without one a filter needs a rule of its own in plugin/. */
  readonly column?: string;
  /** Whether a list may be filtered by it; true unless told. */
  readonly filter?: boolean;
  /** Whether a list may be sorted by it; false unless told. */
  readonly sort?: boolean;
  /** Alias of the extension that brings it; absent for the core API. */
  readonly extension?: string;
  readonly help: string;
}

export interface Resource<A extends Record<string, Attribute> = Record<string, Attribute>> {
  /** Key of one in bodies: `port`. */
  readonly name: string;
  /** Key of many in bodies: `ports`. */
  readonly plural: string;
  /** Path below /v2.0; the plural with hyphens. */
  readonly path: string;
  /** `resource_type` in standardattributes; absent for resources without standard attributes. */
  readonly standardAttributes?: string;
  /** What an API caller may do with it. */
  readonly methods: readonly ('create' | 'list' | 'show' | 'update' | 'delete')[];
  readonly attributes: A;
  readonly extension?: string;
  readonly help: string;
}

/** Declares a resource; keeps the attributes' literal types for `CreateOf` and `UpdateOf`. */
export const resource = <const A extends Record<string, Attribute>>(declaration: Resource<A>): Resource<A> =>
  declaration;

type ValueOf<X> = X extends Attribute<infer T> ? T : never;
type Keys<A, Condition> = { [K in keyof A]: A[K] extends Condition ? K : never }[keyof A];

/** What a validated create holds: all settable attributes with their defaults; optional ones may be missing. */
export type CreateOf<R> =
  R extends Resource<infer A>
    ? { readonly [K in Exclude<Keys<A, { post: true }>, Keys<A, { optional: true }>>]: ValueOf<A[K]> } & {
        readonly [K in Extract<Keys<A, { post: true }>, Keys<A, { optional: true }>>]?: ValueOf<A[K]>;
      } & { readonly project_id: string; readonly tenant_id: string }
    : never;

/** What a validated update holds: the settable attributes that the request names. */
export type UpdateOf<R> =
  R extends Resource<infer A> ? { readonly [K in Keys<A, { put: true }>]?: ValueOf<A[K]> } : never;
