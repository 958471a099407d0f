import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import { buildApi } from '../../src/api/app.ts';
import type { IdentityProvider } from '../../src/auth/contract.ts';
import { noauth } from '../../src/auth/noauth.ts';
import { Policy } from '../../src/auth/policy.ts';
import { AddressAllocator } from '../../src/ipam/allocate.ts';
import type { Core } from '../../src/plugin/core.ts';
import type { AnyModule } from '../../src/plugin/module.ts';
import { UNLIMITED } from '../../src/plugin/quotas/limits.ts';
import { resourceModules, serveResources } from '../../src/plugin/resources.ts';
import type { Service } from '../../src/plugin/service.ts';

/** The services of one server. */
export interface TestServices {
  readonly all: readonly Service[];
  readonly policy: Policy;
  /** Returns the service of a resource by its name: `port`. Throws for unknown resources. */
  of(name: string): Service;
}

/** The policy of Neutrino's own resources, which is parsed once and never changes. */
let ownPolicy: Policy | undefined;

/** Creates the services of resources as the server does; `modules` replace Neutrino's. */
export function servicesOf(
  core: Core,
  allocator: AddressAllocator = new AddressAllocator(),
  modules?: readonly AnyModule[],
  quotas = UNLIMITED,
): TestServices {
  const { services: all, policy } = serveResources(core, modules ?? resourceModules(core, allocator, quotas), {
    policyOf: (declared) => {
      if (modules) return new Policy(declared);
      ownPolicy ??= new Policy(declared);
      return ownPolicy;
    },
    quotas,
  });
  return {
    all,
    policy,
    of(name) {
      const found = all.find(({ resource }) => resource.name === name);
      if (!found) throw new Error(`no resource is named ${name}`);
      return found;
    },
  };
}

/** Builds the API of services, which does not listen. */
export const apiOf = (
  core: Core,
  { all, policy }: TestServices,
  log = core.log,
  identity: IdentityProvider = noauth,
): FastifyInstance =>
  buildApi({
    config: core.config,
    log: log as FastifyBaseLogger,
    callerOf: async (headers, id) => policy.callerOf(await identity.identify(headers), id),
    services: all,
    routes: (app, requests) => identity.routes?.(app, requests),
  });
