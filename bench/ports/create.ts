import { noauth } from '../../src/auth/noauth.ts';
import { Policy } from '../../src/auth/policy.ts';
import { AddressAllocator } from '../../src/ipam/allocate.ts';
import type { Core } from '../../src/plugin/core.ts';
import type { Document } from '../../src/plugin/module.ts';
import { UNLIMITED } from '../../src/plugin/quotas/limits.ts';
import { resourceModules, serveResources } from '../../src/plugin/resources.ts';

/** Returns a function that creates a resource by Neutrino's own rules: `make('network', {})`. */
export function creatorIn(core: Core): (resource: string, values: Document) => Promise<Document> {
  const { services, policy } = serveResources(core, resourceModules(core, new AddressAllocator()), {
    policyOf: (declared) => new Policy(declared),
    quotas: UNLIMITED,
  });
  return async (name, values) => {
    const caller = policy.callerOf(await noauth.identify({}), 'req-bench');
    const service = services.find(({ resource }) => resource.name === name);
    const [made] = (await service?.create(caller, [values])) ?? [];
    if (!made) throw new Error(`no ${name} was created`);
    return made;
  };
}
