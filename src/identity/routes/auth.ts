import type { FastifyReply, FastifyRequest } from 'fastify';
import { authenticate, type IssuedToken, issuedFrom } from '../authenticate.ts';
import { baseUrl, catalog } from '../catalog.ts';
import { forbidden, IdentityError, notFound } from '../errors.ts';
import { listAssignments } from '../store/assignments.ts';
import { findProject, type ProjectRow } from '../store/projects.ts';
import { tokenDocument } from '../token-document.ts';
import { callerOf, linked, listAnswer, noContent, queryOf, type RouteParts } from './context.ts';
import { DOMAINS } from './domains.ts';
import { PROJECTS } from './projects.ts';

/** Adds the routes that issue, validate and revoke tokens, and say what a token can be used for. */
export function authRoutes(parts: RouteParts): void {
  const { app, identity, changes } = parts;
  const catalogOf = (request: FastifyRequest) => catalog(baseUrl(identity.options, request), identity.options.region);

  const answer = (request: FastifyRequest, reply: FastifyReply, issued: IssuedToken) => {
    const wanted = queryOf(request).has('nocatalog') ? undefined : catalogOf(request);
    return reply
      .header('x-subject-token', issued.token)
      .header('vary', 'X-Auth-Token')
      .send({ token: tokenDocument(issued, wanted) });
  };

  app.post('/v3/auth/tokens', async (request, reply) => {
    changes.note(request, { action: 'issue', resource: 'token' });
    const issued = await authenticate(identity, request.body, request.ip);
    changes.by(request, { userId: issued.user.id, projectId: issued.scoped.project?.id ?? '' });
    return answer(request, reply.code(201), issued);
  });

  /**
   * Returns the token that a request is about. Throws IdentityError 403 unless it is the caller's own, or the caller has one of
   * these roles.
   */
  const subjectOf = async (request: FastifyRequest, roles: readonly string[]): Promise<IssuedToken> => {
    const caller = await callerOf(parts, request);
    const token = request.headers['x-subject-token'];
    const subject = typeof token === 'string' ? await identity.authorization(token) : undefined;
    const mayAsk = caller.roles.some(({ name }) => roles.includes(name));
    if (!mayAsk && subject?.user.id !== caller.user.id) throw forbidden();
    if (typeof token !== 'string' || !subject)
      throw new IdentityError(404, 'Could not find the token of X-Subject-Token.');
    return issuedFrom(token, subject);
  };
  app.route({
    method: ['GET', 'HEAD'],
    url: '/v3/auth/tokens',
    handler: async (request, reply) => answer(request, reply, await subjectOf(request, ['admin', 'service'])),
  });
  app.delete('/v3/auth/tokens', async (request, reply) => {
    changes.note(request, { action: 'revoke', resource: 'token' });
    const { content } = await subjectOf(request, ['admin']);
    await identity.revoke(content);
    return noContent(reply);
  });

  app.get('/v3/auth/catalog', async (request) => {
    const { scope } = await callerOf(parts, request);
    if (scope.kind === 'unscoped') throw notFound('catalog', 'an unscoped token has none');
    return listAnswer(identity, request, 'catalog', catalogOf(request));
  });

  /** Returns the enabled projects, or domains, on which the caller has a role. */
  const reachable = async (request: FastifyRequest, isDomain: boolean): Promise<readonly ProjectRow[]> => {
    const { user } = await callerOf(parts, request);
    const type = isDomain ? 'domain' : 'project';
    const rows = await listAssignments(identity.db, { userId: user.id });
    const ids = new Set(rows.filter(({ target_type }) => target_type === type).map(({ target_id }) => target_id));
    const found = await Promise.all([...ids].map((id) => findProject(identity.db, isDomain, id)));
    return found.filter((row) => row !== undefined).filter(({ enabled }) => enabled);
  };
  app.get('/v3/auth/projects', async (request) => {
    const rows = await reachable(request, false);
    const documents = rows.map((row) => linked(identity, request, 'projects', PROJECTS.document(row)));
    return listAnswer(identity, request, 'projects', documents);
  });
  app.get('/v3/auth/domains', async (request) => {
    const rows = await reachable(request, true);
    const documents = rows.map((row) => linked(identity, request, 'domains', DOMAINS.document(row)));
    return listAnswer(identity, request, 'domains', documents);
  });
  app.get('/v3/auth/system', async (request) => {
    const { user } = await callerOf(parts, request);
    const rows = await listAssignments(identity.db, { userId: user.id });
    const system = rows.some(({ target_type }) => target_type === 'system') ? [{ all: true }] : [];
    return listAnswer(identity, request, 'system', system);
  });
}
