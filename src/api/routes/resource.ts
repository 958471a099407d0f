import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { RequestContext, ResourceRules } from '../../plugin/core.ts';
import { isFilter } from '../../plugin/listing.ts';
import type { Resource } from '../../resources/attribute.ts';
import { neutronError, notFound } from '../../resources/errors.ts';
import { resourceOfBody, resourcesOfBody, validateCreate, validateUpdate } from '../../resources/validate.ts';
import { fieldsOf, pageLinks, parseListQuery, pickFields } from '../query.ts';

/** A resource as the API serves it: its declaration, its rules, and what filters its lists. */
export interface ServedResource {
  readonly resource: Resource;
  readonly rules: ResourceRules;
  readonly conditions: Parameters<typeof isFilter>[0]['conditions'];
}

export interface ResourceRouteOptions {
  /** Resources of a page at most; undefined: no bound. */
  readonly maxPage: number | undefined;
  /** Whether one POST may make several. */
  readonly allowBulk: boolean;
  readonly contextOf: (request: FastifyRequest) => RequestContext;
}

const parametersOf = (request: FastifyRequest): URLSearchParams => {
  const at = request.url.indexOf('?');
  return new URLSearchParams(at < 0 ? '' : request.url.slice(at + 1));
};

/** The revision that If-Match demands (`revision_number=N`); anything else in the header demands nothing, as in Neutron. */
export function demandedRevision(request: FastifyRequest): number | undefined {
  const match = /^\s*revision_number=(\d{1,15})\s*$/.exec(request.headers['if-match'] ?? '');
  return match ? Number(match[1]) : undefined;
}

const baseUrl = (request: FastifyRequest): string => `${request.protocol}://${request.host}`;

/** Routes of one resource: list, create, show, update, delete, as its declaration allows. */
export function resourceRoutes(app: FastifyInstance, served: ServedResource, options: ResourceRouteOptions): void {
  const { resource, rules, conditions } = served;
  const { maxPage, allowBulk, contextOf } = options;
  // A marker is an id: what has none is listed as a whole.
  const paged = Object.hasOwn(resource.attributes, 'id');
  const collection = `/v2.0/${resource.path}`;
  const item = `${collection}/:id`;
  const can = (method: Resource['methods'][number]) => resource.methods.includes(method);
  const idOf = (request: FastifyRequest): string => (request.params as { id: string }).id;

  const list = async (request: FastifyRequest) => {
    const parameters = parametersOf(request);
    const query = parseListQuery(
      resource,
      parameters,
      (name) => isFilter({ resource, conditions }, name),
      paged ? maxPage : undefined,
    );
    const documents = await rules.list(contextOf(request), query.list);
    const ids = documents.map((d) => String(d.id));
    const links = paged ? pageLinks(`${baseUrl(request)}${collection}`, parameters, query.list, ids) : [];
    return {
      [resource.plural]: documents.map((d) => pickFields(d, query.fields)),
      ...(links.length > 0 ? { [`${resource.plural}_links`]: links } : {}),
    };
  };
  app.get(collection, list);
  // Neutron answers OPTIONS on a collection with the list.
  app.options(collection, list);

  if (can('create'))
    app.post(collection, async (request, reply) => {
      const context = contextOf(request);
      const { bulk, items } = resourcesOfBody(resource, request.body);
      if (bulk && !allowBulk) throw neutronError('HTTPBadRequest', { reason: 'Bulk operation not supported' });
      const values = items.map((given) => validateCreate(resource, given, context.projectId));
      const documents = (await rules.create?.(context, values)) ?? [];
      reply.code(201);
      return bulk ? { [resource.plural]: documents } : { [resource.name]: documents[0] };
    });
  // As Neutron does: a resource that cannot be made has no attribute that could be set.
  else
    app.post(collection, async () => {
      throw neutronError('HTTPBadRequest', { reason: "Attribute 'tenant_id' not allowed in POST" });
    });

  app.get(item, async (request) => {
    const fields = fieldsOf(parametersOf(request));
    return { [resource.name]: pickFields(await rules.show(contextOf(request), idOf(request)), fields) };
  });

  if (can('update'))
    app.put(item, async (request) => {
      const changes = validateUpdate(resource, resourceOfBody(resource, request.body));
      return {
        [resource.name]: await rules.update?.(contextOf(request), idOf(request), changes, demandedRevision(request)),
      };
    });

  if (can('delete'))
    app.delete(item, async (request, reply) => {
      if (request.body !== undefined)
        throw neutronError('HTTPBadRequest', { reason: 'Request body is not supported in DELETE.' });
      await rules.delete?.(contextOf(request), idOf(request), demandedRevision(request));
      return noContent(reply);
    });

  app.delete(collection, async () => {
    throw notFound(resource.name, 'None');
  });
}

/** 204. */
export function noContent(reply: FastifyReply): FastifyReply {
  return reply.code(204).removeHeader('content-type').send();
}
