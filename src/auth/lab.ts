import { chmodSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/options.ts';
import { databaseFile } from '../db/open.ts';
import type { Authorization } from '../identity/authorization.ts';
import { IDENTITY_PATH } from '../identity/catalog.ts';
import { CLOUDS_FILE, IDENTITY_FILE, OPENRC_FILE, writeClientFiles } from '../identity/client-files.ts';
import { takeOverFile } from '../identity/file/take-over.ts';
import { IDENTITY_OPERATIONS } from '../identity/routes/operations.ts';
import { identityRoutes } from '../identity/routes/plugin.ts';
import { IdentityService } from '../identity/service.ts';
import type { Headers, Identity, IdentityProvider } from './contract.ts';
import type { ProviderParts } from './provider-parts.ts';
import { Unauthorized } from './unauthorized.ts';

const rolesOf = ({ roles }: Authorization): readonly string[] => roles.map(({ name }) => name.toLowerCase());

/** `serviceRoles`: those of the service that asks for the user. */
const identityOf = (authorization: Authorization, serviceRoles: readonly string[]): Identity => ({
  userId: authorization.user.id,
  projectId: authorization.project?.id ?? '',
  domainId: authorization.scope.kind === 'domain' ? authorization.scope.id : '',
  userDomainId: authorization.userDomain.id,
  projectDomainId: authorization.project?.domain_id ?? '',
  roles: rolesOf(authorization),
  systemScope: authorization.scope.kind === 'system',
  serviceRoles,
});

/** Returns the address at which a client on this machine reaches an API that listens on all addresses. */
const reachable = (url: string): string => url.replace('//0.0.0.0', '//127.0.0.1').replace('//[::]', '//[::1]');

/** Hides the SQLite database from other users of this machine, because it holds the key that signs tokens. */
function keepPrivate(config: Config): void {
  const path = databaseFile(config);
  if (path === undefined) return;
  for (const ending of ['', '-wal', '-shm']) if (existsSync(path + ending)) chmodSync(path + ending, 0o600);
}

/** Neutrino's own Identity v3: its routes are below `/identity`, its users, projects and roles in the database. Throws ConfigError. */
export async function labProvider({ config, db, log }: ProviderParts): Promise<IdentityProvider> {
  const { state_path: statePath } = config.DEFAULT;
  const { token_expiration: tokenExpiration, region, public_endpoint: publicEndpoint } = config.identity;
  const options = { tokenExpiration, region, publicEndpoint };
  keepPrivate(config);
  const identity = await IdentityService.open({ db, log, options });
  const file = await takeOverFile(identity, join(statePath, IDENTITY_FILE));
  const identities = new WeakMap<Authorization, Identity>();

  const refuse = (headers: Headers): never => {
    const host = typeof headers.host === 'string' ? headers.host : '';
    throw new Unauthorized(`${publicEndpoint || `http://${host}`}${IDENTITY_PATH}`);
  };
  const withoutService = (authorization: Authorization): Identity => {
    const known = identities.get(authorization);
    if (known) return known;
    const made = identityOf(authorization, []);
    identities.set(authorization, made);
    return made;
  };
  const resolve = async (headers: Headers, token: string): Promise<Identity> => {
    const service = headers['x-service-token'];
    const [authorization, serviceAuthorization] = await Promise.all([
      identity.authorization(token),
      typeof service === 'string' ? identity.authorization(service) : undefined,
    ]);
    if (!authorization || (service !== undefined && !serviceAuthorization)) return refuse(headers);
    return serviceAuthorization
      ? identityOf(authorization, rolesOf(serviceAuthorization))
      : withoutService(authorization);
  };

  return {
    identify(headers) {
      const token = headers['x-auth-token'];
      if (typeof token !== 'string') return refuse(headers);
      const known = headers['x-service-token'] === undefined ? identity.known(token) : undefined;
      return known ? withoutService(known) : resolve(headers, token);
    },
    routes(app, requests) {
      identityRoutes(app, identity, requests);
      return IDENTITY_OPERATIONS;
    },
    async listening(url) {
      const authUrl = `${publicEndpoint || reachable(url)}${IDENTITY_PATH}`;
      if (file && writeClientFiles(statePath, file, { authUrl, region }))
        log.info(
          `clients log in at ${authUrl} with ${join(statePath, CLOUDS_FILE)} or ${join(statePath, OPENRC_FILE)}`,
        );
    },
  };
}
