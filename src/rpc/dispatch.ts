import type { RpcArgs, RpcEndpoint } from './contract.ts';
import { NoSuchMethod, UnsupportedVersion } from './errors.ts';

const VERSION = /^(\d{1,9})\.(\d{1,9})$/;

/**
 * Whether a server of version `served` ("1.10") accepts a request for version `asked` ("1.2"): the majors are equal, and
 * the requested minor version is not higher than the one served. Text that is not a version is rejected.
 */
export function acceptsVersion(served: string, asked: string): boolean {
  const [, servedMajor, servedMinor] = VERSION.exec(served) ?? [];
  const [, askedMajor, askedMinor] = VERSION.exec(asked) ?? [];
  if (servedMajor === undefined || askedMajor === undefined) return false;
  return Number(servedMajor) === Number(askedMajor) && Number(askedMinor) <= Number(servedMinor);
}

/**
 * Runs the handler of a request and returns its result. Throws UnsupportedVersion, NoSuchMethod, or what the handler throws.
 * The same for every transport.
 */
export async function dispatch(
  endpoint: RpcEndpoint,
  method: string,
  version: string,
  args: RpcArgs,
): Promise<unknown> {
  if (!acceptsVersion(endpoint.version, version)) throw new UnsupportedVersion(method, version);
  // The name comes from outside: `constructor` and the like are not methods.
  const handler = Object.hasOwn(endpoint.methods, method) ? endpoint.methods[method] : undefined;
  if (handler === undefined) throw new NoSuchMethod(method);
  return handler(args);
}
