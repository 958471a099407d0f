/**
 * The types of resource declarations, one declaration per resource. Validation, defaults, filters, sorting, fields, error
 * messages, storage, policy, OpenAPI, the extension list and agent notifications all derive from it.
 */

import type { NotFoundType } from './errors.ts';
import type { PolicyRule } from './policy-rules.ts';

/** A value as stored in a column. */
export type Stored = string | number | null;

/** A JSON Schema, for OpenAPI. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** The type of an attribute's value: `In` in requests, `Out` in responses. */
export interface AttributeType<In = unknown, Out = In> {
  readonly schema: JsonSchema;
  /** The schema in responses; default: `schema`. */
  readonly answerSchema?: JsonSchema;
  /**
   * Converts a value of a request body into the value that rules work with.
   * Throws NeutronError (HTTPBadRequest or InvalidInput, as Neutron does for this type) that names attribute and value.
   */
  parse(value: unknown, attribute: string): In;
  /** Converts the text of a query filter into a column value; returns undefined if no row can match. */
  filter?(text: string): Stored | undefined;
  /** Converts a value into a column value; default: the value itself. */
  store?(value: Out): Stored;
  /** Converts a column value into the value; default: the column value itself. Never called with null. */
  load?(stored: string | number): Out;
}

/** Types of agents that can be notified of a change to an attribute. */
export type Listener = 'dhcp' | 'l2';

/** The rules of an attribute: who may set it on create and update, and see it. */
interface AttributePolicy {
  readonly create?: PolicyRule;
  readonly update?: PolicyRule;
  readonly show?: PolicyRule;
}

export interface Attribute<In = unknown, Out = unknown> {
  readonly type: AttributeType<In, Out>;
  /** May be set on create; required if it has neither `default` nor `optional`. */
  readonly post?: boolean;
  /** May be set on update. */
  readonly put?: boolean;
  /** Value if a create omits it. */
  readonly default?: In;
  /** A create may omit it; the rules then decide (Neutron's ATTR_NOT_SPECIFIED). */
  readonly optional?: boolean;
  /** Whether responses show it; `sometimes`: only some documents contain it. Default: true. */
  readonly visible?: boolean | 'sometimes';
  /**
   * Column that stores it, as `table.column`: in the resource's table, standardattributes or a side table. Insert, update,
   * select, filters and sorting derive from it. Attributes without a column need rules in src/plugin.
   */
  readonly column?: string;
  /** Value for resources without a row in the column's side table. */
  readonly absent?: Out;
  /** Whether lists can be filtered by it; default: true if it has a column. */
  readonly filter?: boolean;
  /** Whether lists can be sorted by it; default: false. */
  readonly sort?: boolean;
  /** Agents that must be notified when it changes; default: none. */
  readonly tells?: readonly Listener[];
  /** Who may set it on create and update, and see it; default: whoever may create, update and see the resource. */
  readonly policy?: AttributePolicy;
  /** Rules for keys of its value, an object or a list of objects: `create_port:fixed_ips:ip_address`. */
  readonly parts?: Readonly<Record<string, AttributePolicy>>;
  /** Alias of the extension that adds it; absent for the core API. */
  readonly extension?: string;
  readonly help: string;
}

export type Attributes = Readonly<Record<string, Attribute>>;

export type Method = 'create' | 'list' | 'show' | 'update' | 'delete';

/** Methods with a rule of their own: list requires what show requires of every row. */
export type PolicyVerb = Exclude<Method, 'list'>;

/** A further table that stores some attributes of a resource. */
export interface SideTable {
  /** Column with the resource's id. */
  readonly key: string;
  /** Every resource has a row; default: false, a row exists only while an attribute differs from its `absent` value. */
  readonly always?: boolean;
  /** Further columns with a fixed value; rows with other values do not belong to this resource. */
  readonly constants?: Readonly<Record<string, Stored>>;
}

/** How a resource is shared: its table of RBAC entries, and what they can allow. */
export interface Sharing {
  /** Table with the columns id, object_id, project_id, target_project, action. */
  readonly table: string;
  /** `object_type` in rbac-policies; default: the resource's name. */
  readonly objectType?: string;
  /** Values of `action`; each makes a resource visible to the target project. */
  readonly actions: readonly ('access_as_shared' | 'access_as_external')[];
  /** Alias of the extension that adds it to rbac-policies; default: that of rbac-policies. */
  readonly extension?: string;
}

/** The resource that a child belongs to. */
interface Parent {
  /** `name` of the parent. */
  readonly name: string;
  /** Attribute of the child with the parent's id. */
  readonly by: string;
  /**
   * The child's path is below its parent's: `/v2.0/<parent path>/{id}/<path>`. The parent must be visible to the caller, and `by`
   * is taken from the path. Default: false, the child has its own top-level path and `by` is set like any other attribute.
   */
  readonly inPath?: boolean;
  /**
   * Below a parent that the caller may not see, lists are empty and no id exists, as in Neutron's conntrack helpers; default: the
   * parent's NotFound.
   */
  readonly lenient?: boolean;
}

/**
 * An operation on one resource other than show, update and delete: `PUT /v2.0/routers/{id}/add_router_interface`. Route, body
 * validation, policy and OpenAPI derive from it; the resource's module contains the handler of the same name.
 */
export interface Action {
  readonly method: 'get' | 'put' | 'post' | 'delete';
  /** Its path has no id, which is the caller's project: `GET /v2.0/quotas/project`. */
  readonly ofProject?: boolean;
  /** Path below the resource; default: the action's name. `{parameter}` stands for one segment. */
  readonly path?: string;
  /** Collection below /v2.0; default: the resource's own. */
  readonly collection?: string;
  /** The request body (`objectOf` if it consists of attributes); absent for actions without a body. */
  readonly body?: AttributeType;
  /** Schema of the response body; absent for actions without one. */
  readonly answer?: JsonSchema;
  /** The body is a value of this attribute: the rules of setting it by an update apply too. */
  readonly sets?: string;
  /** The response body is a document of the resource, under its name, without what the caller may not see. */
  readonly answersDocument?: true;
  /** Status on success; default: 200 with a response body, 204 without. */
  readonly status?: 200 | 201;
  /** Its name in the policy; default: the action's own. */
  readonly policyName?: string;
  /** Who may do it; default: `owner`. */
  readonly policy?: PolicyRule;
  /** Ids of resources that do not exist are accepted, as in some of Neutron's actions; default: false, they return 404. */
  readonly anyId?: boolean;
  /** Error for callers that the policy denies; default: PolicyNotAuthorized. */
  readonly denied?: 'AdminRequired';
  /** Error for a resource that is not visible to the caller; default: the resource's own NotFound. */
  readonly notFound?: 'TagResourceNotFound';
  /** Alias of the extension that adds it; default: the resource's. */
  readonly extension?: string;
  readonly help: string;
}

/** An extension as listed by GET /v2.0/extensions: what clients can rely on beyond the core API. */
export interface Extension {
  readonly alias: string;
  readonly name: string;
  readonly description: string;
  /** The date that Neutron reports, so that clients that compare dates see the same API. */
  readonly updated: string;
}

export interface Resource<A extends Attributes = Attributes> {
  /** Key of a single resource in bodies: `port`. */
  readonly name: string;
  /** Its name in the policy; default: `name`, after its parent's name if the path is below the parent's. */
  readonly policyName?: string;
  /** Type of the error for an id that does not exist; default: derived from the name. */
  readonly notFound?: NotFoundType;
  /**
   * Type of the error for what callers who do not see all projects may not see, stored or not; default: as for an id that does not
   * exist.
   */
  readonly hidden?: 'HTTPNotFound' | 'SubnetNotFound';
  /** Key of a list of resources in bodies: `ports`. */
  readonly plural: string;
  /** Path below /v2.0, or below the parent's path: usually the plural with hyphens. */
  readonly path: string;
  /** What the path is below instead of /v2.0: an extension of Neutrino, whose changes are not notified as Neutron's are. */
  readonly base?: '/neutrino/v1';
  /** Attribute that identifies a resource in paths; default: `id`. */
  readonly key?: string;
  /** `GET /v2.0` lists it: Neutron's core resources. */
  readonly core?: boolean;
  /** A resource exists for every key, stored or not, as for `/quotas/{project}`; a show never returns 404. */
  readonly singleton?: boolean;
  /** Callers read the singleton of their own project without a rule, as in Neutron's quotas. */
  readonly ownReadable?: boolean;
  /** Methods that are answered with 501, as Neutron does for some resources; default: like those of unknown paths. */
  readonly notImplemented?: readonly 'create'[];
  /** Table with one row per resource; absent for computed resources. */
  readonly table?: string;
  /** Further tables that store its attributes, by name. */
  readonly sides?: Readonly<Record<string, SideTable>>;
  /** `resource_type` in standardattributes; absent for resources without standard attributes. */
  readonly standardAttributes?: string;
  /** It has tags, with their routes and filters. */
  readonly tagged?: boolean;
  /** Collection below /v2.0 of the routes of its tags; default: `path`. */
  readonly tagPath?: string;
  /** It counts against the quota of the same name. */
  readonly quota?: boolean;
  /** Projects can share it with others (rbac-policies). */
  readonly sharing?: Sharing;
  readonly parent?: Parent;
  /** Methods that the API offers for it. */
  readonly methods: readonly Method[];
  /**
   * Who may call them, and change the tags; default: `reader` for list and show, `creator` for create, `tagger` for tags, `owner`
   * for the others.
   */
  readonly policy?: Readonly<Partial<Record<PolicyVerb | 'tags', PolicyRule>>>;
  /** Further operations on a single resource, by name. */
  readonly actions?: Readonly<Record<string, Action>>;
  readonly attributes: A;
  readonly extension?: string;
  /** Extensions that the resource adds to `EXTENSIONS`. */
  readonly brings?: readonly Extension[];
  readonly help: string;
}

/** Declares a resource and keeps its literal types for `CreateOf`, `UpdateOf` and `DocumentOf`. */
export const resource = <const R extends Resource>(declaration: R): R => declaration;

/** Returns the name of the attribute that identifies a resource in paths. */
export const keyOf = (resource: Resource): string => resource.key ?? 'id';

type In<X> = X extends { readonly type: AttributeType<infer T, infer _> } ? T : never;
type Out<X> = X extends { readonly type: AttributeType<infer _, infer T> } ? T : never;
type Keys<A, Condition> = { [K in keyof A]: A[K] extends Condition ? K : never }[keyof A];
type Flat<T> = { [K in keyof T]: T[K] };
type AttributesOf<R> = R extends { readonly attributes: infer A } ? A : never;
type Having<A, Condition> = Extract<keyof A, Keys<A, Condition>>;
type Lacking<A, Condition> = Exclude<keyof A, Keys<A, Condition>>;

/** The attributes of a body after validation: those with `post`; optional ones may be missing. */
export type BodyOf<A> = Flat<
  { readonly [K in Exclude<Having<A, { post: true }>, Keys<A, { optional: true }>>]: In<A[K]> } & {
    readonly [K in Extract<Having<A, { post: true }>, Keys<A, { optional: true }>>]?: In<A[K]>;
  }
>;

/** The attribute of a child that the path below its parent sets. */
type PlacedOf<R> = R extends { readonly parent: { readonly by: infer By extends string; readonly inPath: true } }
  ? Readonly<Record<By, string>>
  : unknown;

/**
 * A validated create: all settable attributes with their defaults, and those that the path sets; optional ones may be missing.
 */
export type CreateOf<R> = Omit<BodyOf<AttributesOf<R>>, 'project_id' | 'tenant_id'> &
  PlacedOf<R> & { readonly project_id: string; readonly tenant_id: string };

/** A validated update: the settable attributes that the request contains. */
export type UpdateOf<R> = {
  readonly [K in Having<AttributesOf<R>, { put: true }>]?: In<AttributesOf<R>[K]>;
};

/** A response: all visible attributes; those shown `sometimes` may be missing. */
export type DocumentOf<R> = ShownOf<AttributesOf<R>>;

type ShownOf<A> = Flat<
  {
    readonly [K in Lacking<A, { visible: false } | { visible: 'sometimes' }>]: Out<A[K]>;
  } & { readonly [K in Having<A, { visible: 'sometimes' }>]?: Out<A[K]> }
>;

/** All attributes with a column, as rules use them. */
export type ColumnsOf<R> = {
  readonly [K in Having<AttributesOf<R>, { column: string }>]: Out<AttributesOf<R>[K]>;
};

/** The visible attributes with a column: a select of the resource's own rows returns them. */
export type ShownColumnsOf<R> = {
  readonly [K in Exclude<Having<AttributesOf<R>, { column: string }>, Keys<AttributesOf<R>, { visible: false }>>]: Out<
    AttributesOf<R>[K]
  >;
};
