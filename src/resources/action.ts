import type { AttributeType, JsonSchema, PolicyRule } from './attribute.ts';

/**
 * An operation on one resource beside show, update and delete: `PUT /v2.0/routers/{id}/add_router_interface`. Route, validation of
 * its body, policy and OpenAPI derive from it; the resource's module holds the handler of the same name.
 */
export interface Action {
  readonly method: 'get' | 'put' | 'post' | 'delete';
  /** Path below the resource; default: the action's name. `{parameter}` stands for one segment. */
  readonly path?: string;
  /** The body (`objectOf` for one of attributes); absent for actions without. */
  readonly body?: AttributeType;
  /** Schema of the answer; absent for actions that answer nothing. */
  readonly answer?: JsonSchema;
  /** Status of success; default: 200 with an answer, 204 without. */
  readonly status?: 200 | 201;
  /** Its name in the policy; default: the action's own. */
  readonly policyName?: string;
  /** Who may do it; default: `owner`. */
  readonly policy?: PolicyRule;
  /** Ids of resources that do not exist are accepted, as by some of Neutron's; default: they are not found. */
  readonly anyId?: boolean;
  /** Error for a resource that is not visible to the caller; default: the resource's own NotFound. */
  readonly notFound?: 'TagResourceNotFound';
  /** Alias of the extension that brings it; default: the resource's. */
  readonly extension?: string;
  readonly help: string;
}

/** The path of an action below its resource's collection, with `{id}` for the resource and the parameters' names in braces. */
export const actionPath = (collection: string, name: string, action: Action): string =>
  `${collection}/{id}/${action.path ?? name}`;

/** Names of the parameters in braces of a path. */
export const pathParameters = (path: string): readonly string[] =>
  [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '');

/** The rule of the policy that an action demands. */
export const actionPolicy = (name: string, action: Action): string => action.policyName ?? name;
