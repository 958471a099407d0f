import type { ErrorKinds } from './kind.ts';

/** Errors of requests as such: their form, the caller, the state of the server. */
export const REQUEST_ERRORS = {
  HTTPBadRequest: { status: 400, template: '{reason}', when: 'the request or one of its attributes is malformed' },
  BadRequest: {
    status: 400,
    template: 'Bad {resource} request: {reason}.',
    when: 'values of the request contradict each other',
  },
  InvalidInput: {
    status: 400,
    template: 'Invalid input for operation: {reason}.',
    when: 'a value has the wrong format or violates a rule',
  },
  HTTPNotAcceptable: {
    status: 406,
    template: 'The only available content type is application/json, not {accept}.',
    when: 'the Accept header does not allow JSON',
  },
  HTTPMethodNotAllowed: {
    status: 405,
    template: 'The method {method} is not allowed on {path}.',
    when: 'the path does not support the method',
  },
  HTTPNotFound: { status: 404, template: 'The resource {path} could not be found.', when: 'the path does not exist' },
  HTTPRequestEntityTooLarge: {
    status: 413,
    template: 'The request body is too large; split the request.',
    when: 'the body is larger than 16 MiB',
  },
  HTTPInternalServerError: {
    status: 500,
    template: 'Request {id} failed with an internal error; see the server log.',
    when: 'an internal failure; never caused by the content of a request',
  },
  PolicyNotAuthorized: {
    status: 403,
    template: '{action} is disallowed by policy',
    when: 'the policy does not allow the caller to do this',
  },
  HTTPForbidden: {
    status: 403,
    template: 'Project {project} cannot create a {resource} on this network: it neither owns nor shares it.',
    when: 'a port or subnet on a network that the caller sees but neither owns nor shares, such as an external one',
  },
  RevisionNumberConstraintFailed: {
    status: 412,
    template: 'Constrained to {expected}, but current revision is {current}',
    when: 'If-Match names a revision other than the current one',
  },
  HTTPNotImplemented: {
    status: 501,
    template: '{method} requests are not supported on this resource.',
    when: 'a POST to a resource that every project has, such as its quotas',
  },
  TagResourceNotFound: {
    status: 404,
    template: 'There is no {id} among the {resource}.',
    when: 'the tagged resource does not exist',
  },
  TagNotFound: { status: 404, template: 'Tag {tag} could not be found.', when: 'the resource has no such tag' },
  NeutronDbObjectDuplicateEntry: {
    status: 409,
    template: 'Another {resource} has the same {attributes}: {values}.',
    when: 'an NDP proxy of the router announces this address already',
  },
  NotAuthorized: {
    status: 403,
    template: 'The caller may not see this.',
    when: 'the topology of another project; a QoS rule type, except to administrators',
  },
  ServiceUnavailable: {
    status: 503,
    template: '{reason}',
    when: 'the database is unreachable, stays locked or is full, or Keystone cannot validate tokens; try again later',
  },
} as const satisfies ErrorKinds;
