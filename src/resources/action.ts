import type { Action } from './attribute.ts';

/** Returns the path of an action below its resource's collection, with `{id}` and the parameters in braces. */
export const actionPath = (collection: string, name: string, action: Action): string =>
  `${action.collection === undefined ? collection : `/v2.0/${action.collection}`}${action.ofProject ? '' : '/{id}'}/${action.path ?? name}`;

/** Returns the names of the parameters in braces of a path. */
export const pathParameters = (path: string): readonly string[] =>
  [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '');

/** Returns the name of the policy rule that an action requires. */
export const actionPolicy = (name: string, action: Action): string => action.policyName ?? name;
