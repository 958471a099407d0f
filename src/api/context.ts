import type { FastifyRequest } from 'fastify';
import type { RequestContext } from '../plugin/core.ts';

/** Decides who asks. Throws NeutronError when nobody may be believed to. */
export interface IdentityProvider {
  identify(request: FastifyRequest): Promise<RequestContext> | RequestContext;
}

/** The project of requests that name none, as Neutron without authentication has it. */
export const NOAUTH_PROJECT = 'fake_project_id';

/** Nobody is asked who they are: every request is an administrator's; `X-Project-Id` names another project. */
export const noauth: IdentityProvider = {
  identify(request) {
    const named = request.headers['x-project-id'] ?? request.headers['x-tenant-id'];
    const projectId = typeof named === 'string' && named !== '' && named.length <= 255 ? named : NOAUTH_PROJECT;
    return { projectId, isAdmin: true, requestId: String(request.id) };
  },
};
