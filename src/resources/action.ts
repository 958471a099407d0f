import type { AttributeType, JsonSchema, PolicyRule } from './attribute.ts';

/**
 * An operation on one resource other than show, update and delete: `PUT /v2.0/routers/{id}/add_router_interface`. Route, body
 * validation, policy and OpenAPI derive from it; the resource's module contains the handler of the same name.
 */
export interface Action {
  readonly method: 'get' | 'put' | 'post' | 'delete';
  /** Path below the resource; default: the action's name. `{parameter}` stands for one segment. */
  readonly path?: string;
  /** The request body (`objectOf` if it consists of attributes); absent for actions without a body. */
  readonly body?: AttributeType;
  /** Schema of the response body; absent for actions without one. */
  readonly answer?: JsonSchema;
  /** Status on success; default: 200 with a response body, 204 without. */
  readonly status?: 200 | 201;
  /** Its name in the policy; default: the action's own. */
  readonly policyName?: string;
  /** Who may do it; default: `owner`. */
  readonly policy?: PolicyRule;
  /** Ids of resources that do not exist are accepted, as in some of Neutron's actions; default: false, they return 404. */
  readonly anyId?: boolean;
  /** Error for a resource that is not visible to the caller; default: the resource's own NotFound. */
  readonly notFound?: 'TagResourceNotFound';
  /** Alias of the extension that adds it; default: the resource's. */
  readonly extension?: string;
  readonly help: string;
}

/** Returns the path of an action below its resource's collection, with `{id}` and the parameters in braces. */
export const actionPath = (collection: string, name: string, action: Action): string =>
  `${collection}/{id}/${action.path ?? name}`;

/** Returns the names of the parameters in braces of a path. */
export const pathParameters = (path: string): readonly string[] =>
  [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '');

/** Returns the name of the policy rule that an action requires. */
export const actionPolicy = (name: string, action: Action): string => action.policyName ?? name;
