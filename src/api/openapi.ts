import { isFilter } from '../plugin/listing.ts';
import type { Attribute, Resource } from '../resources/attribute.ts';
import type { ServedResource } from './routes/resource.ts';

type Schema = Readonly<Record<string, unknown>>;

const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });
const json = (schema: Schema): Schema => ({ content: { 'application/json': { schema } } });
const wrapped = (key: string, schema: Schema): Schema => ({
  type: 'object',
  required: [key],
  properties: { [key]: schema },
});

/** `security_group` as the name of a schema: `SecurityGroup`. */
const schemaName = (resource: Resource): string =>
  resource.name.replace(/(^|_)([a-z])/g, (_, __, letter: string) => letter.toUpperCase());

type Use = 'answer' | 'create' | 'update';

function property({ type, help, extension, optional, default: fallback }: Attribute, use: Use): Schema {
  return {
    // What a create may leave out, and has no default, may be null afterwards.
    ...(use === 'answer' && optional ? { anyOf: [type.schema, { type: 'null' }] } : type.schema),
    description: help,
    ...(extension === undefined ? {} : { 'x-extension': extension }),
    ...(use === 'create' && fallback !== undefined ? { default: fallback } : {}),
  };
}

function properties(resource: Resource, use: Use, wanted: (attribute: Attribute) => boolean): Schema {
  const entries = Object.entries(resource.attributes).filter(([, attribute]) => wanted(attribute));
  return Object.fromEntries(entries.map(([name, attribute]) => [name, property(attribute, use)]));
}

/** Schemas of one resource: as answers show it, as a create and as an update take it. */
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

function listParameters({ resource, conditions }: ServedResource): readonly Schema[] {
  const named = [...new Set([...Object.keys(resource.attributes), ...Object.keys(conditions)])];
  const sortable = Object.keys(resource.attributes).filter((name) => resource.attributes[name]?.sort);
  return [
    ...named
      .filter((name) => isFilter({ resource, conditions }, name))
      .map((name) => query(name, `has one of these values of ${name}`, texts)),
    { $ref: '#/components/parameters/fields' },
    query('sort_key', 'attributes to sort by, each with its sort_dir', { type: 'array', items: { enum: sortable } }),
    query('sort_dir', 'direction of each sort_key', { type: 'array', items: { enum: ['asc', 'desc'] } }),
    query('limit', 'resources of a page at most', { type: 'integer', minimum: 0 }),
    query('marker', 'id of the last resource of the page before', { type: 'string' }),
    query('page_reverse', 'whether pages go backwards', { type: 'boolean' }),
  ];
}

const failure: Schema = { description: 'a NeutronError', ...json(ref('Error')) };

function operation(summary: string, answers: Schema, more: Schema = {}): Schema {
  return { summary, ...more, responses: { ...answers, default: failure } };
}

function paths(served: ServedResource): Schema {
  const { resource } = served;
  const name = schemaName(resource);
  const can = (method: Resource['methods'][number]) => resource.methods.includes(method);
  const one = wrapped(resource.name, ref(name));
  const many = wrapped(resource.plural, { type: 'array', items: ref(name) });
  const body = (suffix: string) => wrapped(resource.name, ref(`${name}${suffix}`));
  const bulk = wrapped(resource.plural, { type: 'array', minItems: 1, items: ref(`${name}Create`) });
  const ok = (status: string, schema: Schema): Schema => ({
    [status]: { description: resource.help, ...json(schema) },
  });
  const ifMatch = { $ref: '#/components/parameters/ifMatch' };
  const shown = { parameters: [{ $ref: '#/components/parameters/fields' }] };
  return {
    [`/v2.0/${resource.path}`]: {
      get: operation(`List ${resource.plural}`, ok('200', many), { parameters: listParameters(served) }),
      ...(can('create')
        ? {
            post: operation(`Create a ${resource.name}, or several: all or none`, ok('201', { anyOf: [one, many] }), {
              requestBody: { required: true, ...json({ anyOf: [body('Create'), bulk] }) },
            }),
          }
        : {}),
    },
    [`/v2.0/${resource.path}/{id}`]: {
      parameters: [{ in: 'path', name: 'id', required: true, schema: { type: 'string' } }],
      get: operation(`Show a ${resource.name}`, ok('200', one), shown),
      ...(can('update')
        ? {
            put: operation(`Update a ${resource.name}`, ok('200', one), {
              parameters: [ifMatch],
              requestBody: { required: true, ...json(body('Update')) },
            }),
          }
        : {}),
      ...(can('delete')
        ? {
            delete: operation(
              `Delete a ${resource.name}`,
              { '204': { description: 'it is gone' } },
              { parameters: [ifMatch] },
            ),
          }
        : {}),
    },
  };
}

const error: Schema = wrapped('NeutronError', {
  type: 'object',
  required: ['type', 'message', 'detail'],
  properties: { type: { type: 'string' }, message: { type: 'string' }, detail: { type: 'string' } },
});

/** The API as an OpenAPI 3.1 document, derived from the declarations of the resources that are served. */
export function openApi(served: readonly ServedResource[]): Schema {
  return {
    openapi: '3.1.0',
    info: { title: 'Neutrino: Networking API v2.0', version: '2.0' },
    paths: Object.assign({}, ...served.map(paths)),
    components: {
      schemas: Object.assign({ Error: error }, ...served.map((s) => schemas(s.resource))),
      parameters: {
        fields: query('fields', 'attributes to show; all unless told', texts),
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
