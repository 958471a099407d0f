import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { RequestContext } from '../../plugin/core.ts';
import type { TagRules } from '../../plugin/tags.ts';
import type { Resource } from '../../resources/attribute.ts';
import { neutronError, shown } from '../../resources/errors.ts';
import { parseTag, parseTags } from '../../resources/tag-types.ts';
import { demandedRevision, noContent } from './resource.ts';

type One = { readonly Params: { readonly id: string } };
type OneTag = { readonly Params: { readonly id: string; readonly tag: string } };

/** Routes of the tags of one resource (API reference: Standard attributes tag extension). */
export function tagRoutes(
  app: FastifyInstance,
  resource: Resource,
  rules: TagRules,
  contextOf: (request: FastifyRequest) => RequestContext,
): void {
  const all = `/v2.0/${resource.path}/:id/tags`;
  const one = `${all}/:tag`;

  app.get<One>(all, async (request) => ({ tags: await rules.list(contextOf(request), request.params.id) }));
  app.put<One>(all, async (request) => {
    const tags = parseTags(request.body);
    await rules.replace(contextOf(request), request.params.id, tags, demandedRevision(request));
    // As they were given, in that order, as in Neutron.
    return { tags };
  });
  app.delete<One>(all, async (request, reply) => {
    await rules.replace(contextOf(request), request.params.id, [], demandedRevision(request));
    return noContent(reply);
  });
  app.post<One>(all, async (request) => {
    // As Neutron does: tags are made by PUT alone.
    throw neutronError('HTTPNotFound', { path: shown(request.url) });
  });

  app.get<OneTag>(one, async (request, reply) => {
    await rules.require(contextOf(request), request.params.id, parseTag(request.params.tag));
    return noContent(reply);
  });
  app.put<OneTag>(one, async (request, reply) => {
    await rules.add(contextOf(request), request.params.id, parseTag(request.params.tag), demandedRevision(request));
    // Neutron's answer has a body, and it is the JSON text null.
    return reply.code(201).header('content-type', 'application/json').send('null');
  });
  app.delete<OneTag>(one, async (request, reply) => {
    await rules.remove(contextOf(request), request.params.id, parseTag(request.params.tag), demandedRevision(request));
    return noContent(reply);
  });
}
