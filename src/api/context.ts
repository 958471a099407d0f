import type { FastifyRequest } from 'fastify';
import type { RequestContext } from '../plugin/core.ts';
import { neutronError } from '../resources/errors.ts';

/** Decides who asks. Throws NeutronError when nobody may be believed to. */
export interface IdentityProvider {
  identify(request: FastifyRequest): Promise<RequestContext> | RequestContext;
}

/** The project of requests that name none, as Neutron without authentication has it. */
export const NOAUTH_PROJECT = 'fake_project_id';

const MAX_PROJECT = 255;

/** Nobody is asked who they are: every request is an administrator's; `X-Project-Id` names another project. */
export const noauth: IdentityProvider = {
  identify(request) {
    const named = request.headers['x-project-id'] ?? request.headers['x-tenant-id'];
    const projectId = typeof named === 'string' && named !== '' ? named : NOAUTH_PROJECT;
    if (projectId.length > MAX_PROJECT)
      throw neutronError('HTTPBadRequest', {
        reason: `X-Project-Id: ${projectId.length} characters are more than the ${MAX_PROJECT} allowed`,
      });
    return { projectId, isAdmin: true, requestId: String(request.id) };
  },
};
