import type { IdentityProvider } from '../auth/contract.ts';
import type { Service } from '../plugin/service.ts';
import { actionPath, pathParameters } from '../resources/action.ts';
import type { Action, Attribute, JsonSchema, Method, Resource } from '../resources/attribute.ts';

type Schema = JsonSchema;

/** A served resource and the path of its collection, with parameters in braces. */
export interface Placed {
  readonly service: Service;
  readonly collection: string;
}

const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });
const json = (schema: Schema): Schema => ({ content: { 'application/json': { schema } } });
const wrapped = (key: string, schema: Schema): Schema => ({
  type: 'object',
  required: [key],
  properties: { [key]: schema },
});

/** Returns the schema name of a resource: `SecurityGroup` for `security_group`. */
const schemaName = (resource: Resource): string =>
  resource.name.replace(/(^|_)([a-z])/g, (_, __, letter: string) => letter.toUpperCase());

/** Returns a name of the API as words: `security group rules` for `security_group_rules`. */
const words = (name: string): string => name.replaceAll('_', ' ');

/** Returns the resource's name with its indefinite article. */
const one = ({ name }: Resource): string => `${/^[aeiou]/.test(name) ? 'an' : 'a'} ${words(name)}`;

type Use = 'answer' | 'create' | 'update';

function property({ type, help, extension, default: fallback }: Attribute, use: Use): Schema {
  return {
    ...(use === 'answer' ? (type.answerSchema ?? type.schema) : type.schema),
    description: help,
    ...(extension === undefined ? {} : { 'x-extension': extension }),
    ...(use === 'create' && fallback !== undefined ? { default: fallback } : {}),
  };
}

function properties(resource: Resource, use: Use, wanted: (attribute: Attribute) => boolean): Schema {
  const entries = Object.entries(resource.attributes).filter(([, attribute]) => wanted(attribute));
  return Object.fromEntries(entries.map(([name, attribute]) => [name, property(attribute, use)]));
}

/** Returns the schemas of a resource: for responses and for the bodies of creates and updates. */
function schemas(resource: Resource): Schema {
  const name = schemaName(resource);
  const required = Object.entries(resource.attributes)
    .filter(([, a]) => a.post && !a.optional && a.default === undefined)
    .map(([attribute]) => attribute);
  const closed = (given: Schema): Schema => ({ type: 'object', additionalProperties: false, properties: given });
  return {
    [name]: {
      type: 'object',
      description: resource.help,
      properties: properties(resource, 'answer', (a) => a.visible !== false),
      required: Object.keys(resource.attributes).filter((a) => (resource.attributes[a]?.visible ?? true) === true),
    },
    ...(resource.methods.includes('create')
      ? { [`${name}Create`]: { ...closed(properties(resource, 'create', (a) => a.post === true)), required } }
      : {}),
    ...(resource.methods.includes('update')
      ? { [`${name}Update`]: closed(properties(resource, 'update', (a) => a.put === true)) }
      : {}),
  };
}

const query = (name: string, description: string, schema: Schema): Schema => ({
  in: 'query',
  name,
  description,
  schema,
});
const texts: Schema = { type: 'array', items: { type: 'string' } };

function listParameters(service: Service): readonly Schema[] {
  const { resource } = service;
  const named = [...new Set([...Object.keys(resource.attributes), ...service.furtherFilters])];
  const sortable = Object.keys(resource.attributes).filter((name) => resource.attributes[name]?.sort);
  return [
    ...named
      .filter((name) => service.isFilter(name))
      .map((name) => query(name, `only those with one of these values of ${name}`, texts)),
    { $ref: '#/components/parameters/fields' },
    query('sort_key', 'attributes to sort by, each with its sort_dir', { type: 'array', items: { enum: sortable } }),
    query('sort_dir', 'direction of each sort_key', { type: 'array', items: { enum: ['asc', 'desc'] } }),
    query('limit', 'maximum number of resources on a page', { type: 'integer', minimum: 0 }),
    query('marker', 'id of the last resource of the previous page', { type: 'string' }),
    query('page_reverse', 'page backwards', { type: 'boolean' }),
  ];
}

const failure: Schema = { description: 'a NeutronError', ...json(ref('Error')) };

function operation(summary: string, answers: Schema, more: Schema = {}): Schema {
  return { summary, ...more, responses: { ...answers, default: failure } };
}

const inPath = (path: string): Schema => {
  const names = pathParameters(path);
  const schema = { type: 'string' };
  return names.length === 0 ? {} : { parameters: names.map((name) => ({ in: 'path', name, required: true, schema })) };
};

const ifMatch = { $ref: '#/components/parameters/ifMatch' };

/** Returns the operations on the collection of a resource, by HTTP method. */
function collectionMethods(service: Service, name: string): Schema {
  const { resource } = service;
  const can = (method: Method) => resource.methods.includes(method);
  const single = wrapped(resource.name, ref(name));
  const many = wrapped(resource.plural, { type: 'array', items: ref(name) });
  const body = wrapped(resource.name, ref(`${name}Create`));
  const bulk = wrapped(resource.plural, { type: 'array', minItems: 1, items: ref(`${name}Create`) });
  return {
    ...(can('list')
      ? {
          get: operation(`List ${words(resource.plural)}`, answered('200', resource.help, many), {
            parameters: listParameters(service),
          }),
        }
      : {}),
    ...(can('create')
      ? {
          post: operation(
            `Create ${one(resource)}, or several: all or none`,
            answered('201', resource.help, { anyOf: [single, many] }),
            { requestBody: { required: true, ...json({ anyOf: [body, bulk] }) } },
          ),
        }
      : {}),
  };
}

/** Returns the operations on a single resource, by HTTP method. */
function itemMethods({ resource }: Service, name: string): Schema {
  const can = (method: Method) => resource.methods.includes(method);
  const single = wrapped(resource.name, ref(name));
  return {
    ...(can('show')
      ? {
          get: operation(`Show ${one(resource)}`, answered('200', resource.help, single), {
            parameters: [{ $ref: '#/components/parameters/fields' }],
          }),
        }
      : {}),
    ...(can('update')
      ? {
          put: operation(`Update ${one(resource)}`, answered('200', resource.help, single), {
            parameters: [ifMatch],
            requestBody: { required: true, ...json(wrapped(resource.name, ref(`${name}Update`))) },
          }),
        }
      : {}),
    ...(can('delete')
      ? {
          delete: operation(
            `Delete ${one(resource)}`,
            { '204': { description: 'deleted' } },
            { parameters: [ifMatch] },
          ),
        }
      : {}),
  };
}

const answered = (status: string, description: string, schema: Schema): Schema => ({
  [status]: { description, ...json(schema) },
});

function actionMethod({ resource }: Service, action: Action): Schema {
  const { method, answer, status = answer ? 200 : 204, help, body } = action;
  const summary = `${words(resource.name)}: ${help}`;
  return {
    [method]: operation(
      summary,
      answer ? answered(String(status), help, answer) : { [String(status)]: { description: 'done' } },
      {
        ...(method === 'get' ? {} : { parameters: [ifMatch] }),
        ...(body ? { requestBody: { required: true, ...json(body.schema) } } : {}),
      },
    ),
  };
}

function paths({ service, collection }: Placed): Schema {
  const name = schemaName(service.resource);
  const found: Record<string, Schema> = {};
  const add = (path: string, methods: Schema): void => {
    if (Object.keys(methods).length > 0) found[path] = { ...inPath(path), ...found[path], ...methods };
  };
  add(collection, collectionMethods(service, name));
  add(`${collection}/{id}`, itemMethods(service, name));
  for (const [action, declared] of Object.entries(service.resource.actions ?? {}))
    add(actionPath(collection, action, declared), actionMethod(service, declared));
  return found;
}

const error: Schema = wrapped('NeutronError', {
  type: 'object',
  required: ['type', 'message', 'detail'],
  properties: { type: { type: 'string' }, message: { type: 'string' }, detail: { type: 'string' } },
});

const discovery = (summary: string, more: Schema = {}): Schema => ({
  get: operation(summary, { '200': { description: summary, ...json({ type: 'object' }) } }),
  ...more,
});

/** Paths that belong to no resource: what the server serves. */
const DISCOVERY: Schema = {
  '/': discovery('List the versions of the API'),
  '/v2.0': discovery('List the resources'),
  '/v2.0/extensions': discovery('List the extensions'),
  '/v2.0/extensions/{alias}': discovery('Show an extension', inPath('/v2.0/extensions/{alias}')),
  '/healthcheck': discovery('Check that the server answers requests'),
};

/** Summaries of operations that belong to no resource, by path and HTTP method. */
export type DescribedPaths = ReturnType<NonNullable<IdentityProvider['routes']>>;

/** Returns path items with operations of which only the summary is known. */
const described = (paths: DescribedPaths): Schema =>
  Object.fromEntries(
    Object.entries(paths).map(([path, operations]) => [
      path,
      {
        ...inPath(path),
        ...Object.fromEntries(
          Object.entries(operations).map(([method, summary = '']) => [
            method,
            { summary, responses: { default: { description: summary, ...json({ type: 'object' }) } } },
          ]),
        ),
      },
    ]),
  );

/**
 * Returns the API as an OpenAPI 3.1 document, derived from the declarations of the served resources. `further`: operations of
 * other routes.
 */
export function openApi(placed: readonly Placed[], further: DescribedPaths = {}): Schema {
  return {
    openapi: '3.1.0',
    info: { title: 'Neutrino: Networking API v2.0', version: '2.0' },
    paths: Object.assign({}, DISCOVERY, ...placed.map(paths), described(further)),
    components: {
      schemas: Object.assign({ Error: error }, ...placed.map(({ service }) => schemas(service.resource))),
      parameters: {
        fields: query('fields', 'attributes to show; default: all', texts),
        ifMatch: {
          in: 'header',
          name: 'If-Match',
          description: 'revision_number=N: only while it has this revision',
          schema: { type: 'string' },
        },
      },
    },
  };
}
