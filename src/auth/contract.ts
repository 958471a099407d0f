/** The authenticated caller, which every rule and every route receives. */
export interface Caller {
  /** Id of the user; empty if the provider has no users. */
  readonly userId: string;
  /** Project that the request is scoped to; default project of new resources. */
  readonly projectId: string;
  /** Id of the domain that the request is scoped to; empty: none. */
  readonly domainId: string;
  /** Names of the roles, in lower case. */
  readonly roles: readonly string[];
  /** Administrators see and may do everything. */
  readonly isAdmin: boolean;
  /** `req-<uuid>`, for logs and errors. */
  readonly requestId: string;
}

/** The headers of a request, names in lower case. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * Authenticates requests. MUST NOT trust a header that any client can set, unless that is its purpose (noauth). Throws
 * NeutronError: 401 for callers that it cannot identify, 503 if it cannot reach what it needs to do so.
 */
export interface IdentityProvider {
  identify(headers: Headers, requestId: string): Promise<Caller> | Caller;
}
