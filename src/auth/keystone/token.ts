import type { Identity } from '../contract.ts';

/** What Keystone says about a valid token. */
export interface Token {
  readonly identity: Identity;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  /** Endpoints of all services in the catalogue, if the answer has one. */
  readonly endpoints: readonly Endpoint[];
}

export interface Endpoint {
  /** Type of its service: `identity`, `compute`. */
  readonly type: string;
  readonly interface: string;
  readonly region: string;
  readonly url: string;
}

type Json = Readonly<Record<string, unknown>>;

const object = (value: unknown): Json => (value !== null && typeof value === 'object' ? (value as Json) : {});
const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const list = (value: unknown): readonly Json[] => (Array.isArray(value) ? value.map(object) : []);

/** Returns the token in the body of an answer of `/v3/auth/tokens`; undefined if the body is something else. */
export function parseToken(body: unknown): Token | undefined {
  const token = object(object(body).token);
  const user = object(token.user);
  const project = object(token.project);
  const expiresAt = Date.parse(text(token.expires_at));
  if (text(user.id) === '' || Number.isNaN(expiresAt)) return undefined;
  return {
    expiresAt,
    identity: {
      userId: text(user.id),
      projectId: text(project.id),
      domainId: text(object(token.domain).id),
      userDomainId: text(object(user.domain).id),
      projectDomainId: text(object(project.domain).id),
      roles: list(token.roles).map(({ name }) => text(name).toLowerCase()),
      systemScope: object(token.system).all === true,
      serviceRoles: [],
    },
    endpoints: list(token.catalog).flatMap(({ type, endpoints }) =>
      list(endpoints).map((one) => ({
        type: text(type),
        interface: text(one.interface),
        region: text(one.region_id) || text(one.region),
        url: text(one.url),
      })),
    ),
  };
}
