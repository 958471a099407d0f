import type { FastifyInstance } from 'fastify';
import type { RequestLog } from '../identity/request-log.ts';
import type { DescribedPaths } from '../identity/routes/operations.ts';

/** What an identity provider knows about the author of a request. */
export interface Identity {
  /** Id of the user; empty if the provider has no users. */
  readonly userId: string;
  /** Project that the request is scoped to; default project of new resources. Empty: none. */
  readonly projectId: string;
  /** Id of the domain that the request is scoped to; empty: none. */
  readonly domainId: string;
  /** Ids of the domains of the user and of the project; empty if unknown. */
  readonly userDomainId: string;
  readonly projectDomainId: string;
  /** Names of the roles, in lower case. */
  readonly roles: readonly string[];
  /** The request is scoped to the whole system instead of a project. */
  readonly systemScope: boolean;
  /** Roles of the service that sent the request on the user's behalf (X-Service-Token), in lower case. */
  readonly serviceRoles: readonly string[];
}

/** The authenticated caller, which every rule and every route receives. */
export interface Caller extends Identity {
  /** Administrators (policy rule `context_is_admin`) see and may do everything that the policy does not reserve to others. */
  readonly isAdmin: boolean;
  /** Services (policy rules `context_is_advsvc` and `service_api`) see the resources of all projects. */
  readonly isAdvsvc: boolean;
  /** `req-<uuid>`, for logs and errors. */
  readonly requestId: string;
}

/** The headers of a request, names in lower case. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * Authenticates requests. MUST NOT trust a header that any client can set, unless that is its purpose (noauth). Throws
 * Unauthorized for callers that it cannot identify, and NeutronError 503 if it cannot reach what it needs to do so.
 */
export interface IdentityProvider {
  identify(headers: Headers): Promise<Identity> | Identity;
  /** Adds routes of its own, outside of /v2.0; returns what OpenAPI says of them. */
  routes?(app: FastifyInstance, requests: RequestLog): DescribedPaths;
  /** Called when the API listens at a URL. */
  listening?(url: string): Promise<void>;
  /** Releases connections and timers; absent: there are none. */
  close?(): Promise<void>;
}
