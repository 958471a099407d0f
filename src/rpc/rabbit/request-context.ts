import { randomUUID } from 'node:crypto';
import { pythonTime } from '../../time/python-time.ts';

/** The context of a process that acts on its own behalf, as an administrator, like Neutron's agents and servers send it. */
const ADMINISTRATOR = {
  _context_user: null,
  _context_project_id: null,
  _context_system_scope: null,
  _context_project: null,
  _context_domain: null,
  _context_user_domain: null,
  _context_project_domain: null,
  _context_is_admin: true,
  _context_read_only: false,
  _context_show_deleted: false,
  _context_auth_token: null,
  _context_global_request_id: null,
  _context_resource_uuid: null,
  _context_roles: [],
  _context_user_identity: '- - - - -',
  _context_is_admin_project: true,
  _context_user_id: null,
  _context_tenant_id: null,
  _context_tenant_name: null,
  _context_project_name: null,
  _context_user_name: null,
} as const;

/** Returns the `_context_*` of a request: receivers log it and build their own context from it. */
export function requestContext(now: Date = new Date()): Readonly<Record<string, unknown>> {
  return {
    ...ADMINISTRATOR,
    _context_request_id: `req-${randomUUID()}`,
    _context_timestamp: pythonTime(now),
  };
}
