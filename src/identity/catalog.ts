import { createHash } from 'node:crypto';
import { badRequest } from './errors.ts';
import type { IdentityOptions } from './service.ts';

/** Path of Identity v3 on the port of the networking API. */
export const IDENTITY_PATH = '/identity/v3';

/** An id that is the same on every server and after every start. */
const stableId = (...parts: readonly string[]): string =>
  createHash('sha256').update(parts.join(' ')).digest('hex').slice(0, 32);

export interface CatalogService {
  readonly id: string;
  readonly type: string;
  readonly name: string;
  readonly description: string;
  /** Below the base URL of the API. */
  readonly path: string;
}

export interface Endpoint {
  readonly id: string;
  readonly service_id: string;
  readonly interface: string;
  readonly region: string;
  readonly region_id: string;
  readonly url: string;
  readonly enabled: boolean;
}

/** The services of the catalogue. */
export const SERVICES: readonly CatalogService[] = [
  { id: stableId('network'), type: 'network', name: 'neutron', description: 'OpenStack Networking', path: '' },
  {
    id: stableId('identity'),
    type: 'identity',
    name: 'keystone',
    description: 'OpenStack Identity',
    path: IDENTITY_PATH,
  },
];

const INTERFACES = ['public', 'internal', 'admin'];
const HOST = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;

/** Returns the base URL by which clients reach the API. Throws IdentityError 400 for a Host header that is none. */
export function baseUrl(
  { publicEndpoint }: Pick<IdentityOptions, 'publicEndpoint'>,
  request: { readonly protocol: string; readonly host: string },
): string {
  if (publicEndpoint !== '') return publicEndpoint.replace(/\/+$/, '');
  if (!HOST.test(request.host)) throw badRequest('The Host header is not the name of a host.');
  return `${request.protocol}://${request.host}`;
}

/** Returns all endpoints, below the base URL of the API. */
export const endpoints = (base: string, region: string): readonly Endpoint[] =>
  SERVICES.flatMap(({ id, type, path }) =>
    INTERFACES.map((name) => ({
      id: stableId(type, name),
      service_id: id,
      interface: name,
      region,
      region_id: region,
      url: `${base}${path}`,
      enabled: true,
    })),
  );

/** Returns the catalogue as tokens have it. */
export function catalog(base: string, region: string): readonly object[] {
  const all = endpoints(base, region);
  return SERVICES.map(({ id, type, name }) => ({
    id,
    type,
    name,
    endpoints: all
      .filter(({ service_id }) => service_id === id)
      .map(({ id, interface: one, region_id, region, url }) => ({ id, interface: one, region_id, region, url })),
  }));
}
