import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Caller } from '../../auth/contract.ts';
import { pickFields } from '../../plugin/document-parts.ts';
import type { Service } from '../../plugin/service.ts';
import { actionPath } from '../../resources/action.ts';
import { type Action, keyOf, type Method } from '../../resources/attribute.ts';
import { neutronError, notFound } from '../../resources/errors.ts';
import { resourceOfBody, resourcesOfBody } from '../../resources/validate.ts';
import type { Changes } from '../change-log.ts';
import { fieldsOf, pageLinks, parseListQuery } from '../query.ts';

export interface ResourceRouteOptions {
  /** Maximum number of resources per page; undefined: unlimited. */
  readonly maxPage: number | undefined;
  /** Whether one POST may create several resources. */
  readonly allowBulk: boolean;
  readonly callerOf: (request: FastifyRequest) => Caller;
  readonly changes: Changes;
}

const parametersOf = (request: FastifyRequest): URLSearchParams => {
  const at = request.url.indexOf('?');
  return new URLSearchParams(at < 0 ? '' : request.url.slice(at + 1));
};

/** Returns the revision required by If-Match (`revision_number=N`); as in Neutron, other values are ignored. */
function demandedRevision(request: FastifyRequest): number | undefined {
  const match = /^\s*revision_number=(\d{1,15})\s*$/.exec(request.headers['if-match'] ?? '');
  return match ? Number(match[1]) : undefined;
}

const baseUrl = (request: FastifyRequest): string => `${request.protocol}://${request.host}`;

/** Converts a path such as `/v2.0/routers/{id}/x/{y}` to Fastify's syntax. */
const routeOf = (path: string): string => path.replace(/\{(\w+)\}/g, ':$1');

/** Returns the path of a resource's collection: below its parent if the declaration says so. */
export function collectionPath({ resource }: Service, parentPath: string | undefined): string {
  const { parent, path, base = '/v2.0' } = resource;
  return parent?.inPath && parentPath !== undefined ? `${parentPath}/{${parent.by}}/${path}` : `${base}/${path}`;
}

/** Returns the name of a resource as shown; empty if it has none. */
const nameOf = ({ name }: Readonly<Record<string, unknown>>): string => (typeof name === 'string' ? name : '');

/** Adds the routes of one resource: list, create, show, update, delete and actions, as declared. */
export function resourceRoutes(
  app: FastifyInstance,
  service: Service,
  collection: string,
  options: ResourceRouteOptions,
): void {
  const { resource } = service;
  const { maxPage, allowBulk, callerOf, changes } = options;
  // A marker is an id: resources without one are listed without paging.
  const paged = Object.hasOwn(resource.attributes, 'id');
  const all = routeOf(collection);
  const one = `${all}/:id`;
  const can = (method: Method) => resource.methods.includes(method);
  const paramsOf = (request: FastifyRequest) => request.params as Readonly<Record<string, string>>;
  const idOf = (request: FastifyRequest): string => paramsOf(request).id ?? '';
  const parentOf = (request: FastifyRequest): string | undefined =>
    resource.parent?.inPath ? paramsOf(request)[resource.parent.by] : undefined;

  const list = async (request: FastifyRequest) => {
    const parameters = parametersOf(request);
    const query = parseListQuery(resource, parameters, (name) => service.isFilter(name), paged ? maxPage : undefined);
    const documents = await service.list(callerOf(request), query.list, parentOf(request));
    const ids = documents.map((d) => String(d.id));
    const [path = ''] = request.url.split('?');
    const links = paged ? pageLinks(`${baseUrl(request)}${path}`, parameters, query.list, ids) : [];
    return {
      [resource.plural]: documents.map((d) => pickFields(d, query.fields)),
      ...(links.length > 0 ? { [`${resource.plural}_links`]: links } : {}),
    };
  };
  if (can('list')) {
    app.get(all, list);
    // As in Neutron, OPTIONS on a collection returns the list.
    app.options(all, list);
  }

  app.post(all, async (request, reply) => {
    if (resource.notImplemented?.includes('create')) throw neutronError('HTTPNotImplemented', { method: 'POST' });
    // As in Neutron, a resource that cannot be created has no attributes that can be set.
    if (!can('create')) throw neutronError('HTTPBadRequest', { reason: "Attribute 'tenant_id' not allowed in POST" });
    changes.note(request, { action: 'create', resource: resource.name });
    const { bulk, items } = resourcesOfBody(resource, request.body);
    if (bulk && !allowBulk) throw neutronError('HTTPBadRequest', { reason: 'Bulk operation not supported' });
    const documents = await service.create(callerOf(request), items, parentOf(request), bulk);
    const ids = documents.map((d) => String(d[keyOf(resource)]));
    changes.note(request, { action: 'create', resource: resource.name, ids, names: documents.map(nameOf) });
    reply.code(201);
    return bulk ? { [resource.plural]: documents } : { [resource.name]: documents[0] };
  });

  if (can('show'))
    app.get(one, async (request) => {
      const fields = fieldsOf(parametersOf(request));
      return { [resource.name]: await service.show(callerOf(request), idOf(request), parentOf(request), fields) };
    });

  if (can('update'))
    app.put(one, async (request) => {
      changes.note(request, { action: 'update', resource: resource.name, ids: [idOf(request)] });
      const body = resourceOfBody(resource, request.body);
      const revision = demandedRevision(request);
      const document = await service.update(callerOf(request), idOf(request), body, revision, parentOf(request));
      const ids = [idOf(request)];
      changes.note(request, { action: 'update', resource: resource.name, ids, names: [nameOf(document)] });
      return { [resource.name]: document };
    });

  if (can('delete'))
    app.delete(one, async (request, reply) => {
      changes.note(request, { action: 'delete', resource: resource.name, ids: [idOf(request)] });
      if (request.body !== undefined)
        throw neutronError('HTTPBadRequest', { reason: 'Request body is not supported in DELETE.' });
      await service.delete(callerOf(request), idOf(request), demandedRevision(request), parentOf(request));
      return noContent(reply);
    });

  app.delete(all, async () => {
    throw notFound(resource, 'None');
  });

  for (const [name, action] of Object.entries(resource.actions ?? {}))
    actionRoute(app, service, collection, name, action, options);
}

function actionRoute(
  app: FastifyInstance,
  service: Service,
  collection: string,
  name: string,
  action: Action,
  { callerOf, changes }: ResourceRouteOptions,
): void {
  app.route({
    method: action.method.toUpperCase(),
    url: routeOf(actionPath(collection, name, action)),
    async handler(request, reply) {
      const caller = callerOf(request);
      const own = action.ofProject ? caller.projectId : '';
      const { id = own, ...parameters } = request.params as Readonly<Record<string, string>>;
      if (action.method !== 'get')
        changes.note(request, { action: name, resource: service.resource.name, ids: [id], parameters });
      const { parent: above } = service.resource;
      const parent = above?.inPath ? parameters[above.by] : undefined;
      const call = { id, parameters, body: request.body, revision: demandedRevision(request), parent };
      const answer = await service.act(caller, name, call);
      if (!action.answer) return noContent(reply);
      return reply
        .code(action.status ?? 200)
        .header('content-type', 'application/json')
        .send(JSON.stringify(answer));
    },
  });
}

/** Responds with 204. */
function noContent(reply: FastifyReply): FastifyReply {
  return reply.code(204).removeHeader('content-type').send();
}
