import type { Attribute, Attributes, AttributeType, BodyOf, CreateOf, Resource, UpdateOf } from './attribute.ts';
import { neutronError, shown } from './errors.ts';

const bad = (reason: string) => neutronError('HTTPBadRequest', { reason });

/** Limit of a bulk request, because one transaction creates all its resources and others wait for it. */
const MAX_BULK = 10_000;

type Body = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Body {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** Returns the attribute with that name. Own properties only, because a request may name `constructor` or `__proto__`. */
function attributeOf(resource: Resource, name: string): Attribute | undefined {
  return Object.hasOwn(resource.attributes, name) ? resource.attributes[name] : undefined;
}

function rejectUnknownAttributes(resource: Resource, given: Body): void {
  const unknown = Object.keys(given).filter((name) => !attributeOf(resource, name));
  if (unknown.length > 0) throw bad(`Unrecognized attribute(s) '${shown(unknown.join(', '))}'`);
}

/** Returns the project of a new resource; default: the caller's. */
function projectOf(given: Body, callerProject: string): string {
  const { project_id: project, tenant_id: tenant } = given;
  if (project !== undefined && tenant !== undefined && project !== tenant)
    throw bad("'project_id' and 'tenant_id' do not match");
  const named = project ?? tenant ?? callerProject;
  // Otherwise it would belong to nobody, because the token is for a domain or for the system.
  if (project === undefined && tenant === undefined && named === '')
    throw bad("'project_id' must be specified, because the caller has no project");
  return named as string;
}

type Entries = readonly (readonly [string, Attribute])[];

const entries = new WeakMap<Attributes, Entries>();

/** Returns a declaration's attributes with their names, listed once: every create walks through them. */
function entriesOf(attributes: Attributes): Entries {
  const known = entries.get(attributes);
  if (known) return known;
  const listed = Object.entries(attributes);
  entries.set(attributes, listed);
  return listed;
}

/** Validates the attributes of a create and fills in defaults; optional ones may be missing. Throws NeutronError. */
function parseAttributes(attributes: Attributes, given: Body, set: Body = {}): Record<string, unknown> {
  for (const [name, attribute] of entriesOf(attributes)) {
    if (name in set) continue;
    if (!attribute.post) {
      if (name in given) throw bad(`Attribute '${name}' not allowed in POST`);
      continue;
    }
    if (!(name in given) && attribute.default === undefined && !attribute.optional)
      throw bad(`Failed to parse request. Required attribute '${name}' not specified`);
  }
  const values: Record<string, unknown> = { ...set };
  for (const [name, attribute] of entriesOf(attributes)) {
    if (!attribute.post || name in set) continue;
    if (name in given) values[name] = attribute.type.parse(given[name], name);
    else if (attribute.default !== undefined) values[name] = attribute.default;
  }
  return values;
}

/**
 * Validates the attributes of one resource of a POST body and fills in defaults; optional attributes that the body omits stay
 * undefined. `set`: attributes that the path sets; the body must not contain them. Throws NeutronError.
 */
export function validateCreate<R extends Resource>(
  resource: R,
  given: unknown,
  callerProject: string,
  set: Body = {},
): CreateOf<R> {
  if (!isObject(given)) throw bad(`Object '${resource.name}' contains invalid data`);
  rejectUnknownAttributes(resource, given);
  for (const name of Object.keys(set)) if (name in given) throw bad(`Attribute '${name}' not allowed in POST`);
  const settable = 'project_id' in resource.attributes;
  const project = settable ? projectOf(given, callerProject) : callerProject;
  const values = parseAttributes(resource.attributes, given, set);
  if (settable) {
    const parsed = attributeOf(resource, 'project_id')?.type.parse(project, 'project_id');
    values.project_id = parsed;
    values.tenant_id = parsed;
  }
  return values as CreateOf<R>;
}

/** The type of an action's body that is an object with these attributes. */
export function objectOf<const A extends Attributes>(attributes: A): AttributeType<BodyOf<A>> {
  const entries = Object.entries(attributes);
  const required = entries.filter(([, a]) => !a.optional && a.default === undefined).map(([name]) => name);
  return {
    schema: {
      type: 'object',
      additionalProperties: false,
      properties: Object.fromEntries(
        entries.map(([name, { type, help }]) => [name, { ...type.schema, description: help }]),
      ),
      required,
    },
    parse(given) {
      if (!isObject(given)) throw bad('Resource body required');
      const unknown = Object.keys(given).filter((name) => !Object.hasOwn(attributes, name));
      if (unknown.length > 0) throw bad(`Unrecognized attribute(s) '${shown(unknown.join(', '))}'`);
      return parseAttributes(attributes, given) as BodyOf<A>;
    },
  };
}

/** Validates the attributes of a PUT body and returns them. Throws NeutronError. */
export function validateUpdate<R extends Resource>(resource: R, given: unknown): UpdateOf<R> {
  if (!isObject(given)) throw bad(`Object '${resource.name}' contains invalid data`);
  rejectUnknownAttributes(resource, given);
  for (const name of Object.keys(given))
    if (!attributeOf(resource, name)?.put) throw bad(`Cannot update read-only attribute ${name}`);
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [name, attributeOf(resource, name)?.type.parse(value, name)]),
  ) as UpdateOf<R>;
}

/** Returns the resources of a POST body: one under the resource's name, or several under its plural. */
export function resourcesOfBody(
  resource: Resource,
  body: unknown,
): { readonly bulk: boolean; readonly items: readonly unknown[] } {
  if (!isObject(body))
    throw bad(body === undefined || body === null ? 'Resource body required' : 'Body contains invalid data');
  if (resource.plural in body) {
    const items = body[resource.plural];
    if (!Array.isArray(items) || items.length === 0) throw bad('Resources required');
    if (items.length > MAX_BULK)
      throw bad(`${items.length} ${resource.plural} exceed the limit of ${MAX_BULK} per request`);
    // As in Neutron, each may be wrapped like a single one: `{"networks": [{"network": {...}}]}`.
    return {
      bulk: true,
      items: items.map((item) => (isObject(item) && resource.name in item ? item[resource.name] : item)),
    };
  }
  return { bulk: false, items: [resourceOfBody(resource, body)] };
}

/** Returns the resource of a body, found under the resource's name. */
export function resourceOfBody(resource: Resource, body: unknown): unknown {
  if (!isObject(body))
    throw bad(body === undefined || body === null ? 'Resource body required' : 'Body contains invalid data');
  if (Object.keys(body).length === 0) throw bad('Resource body required');
  if (body[resource.name] === undefined || body[resource.name] === null)
    throw bad(`Unable to find '${resource.name}' in request body`);
  return body[resource.name];
}
