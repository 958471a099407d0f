import type { Policy } from '../auth/policy.ts';
import type { Config } from '../config/options.ts';
import type { AddressAllocator } from '../ipam/allocate.ts';
import type { Resource } from '../resources/attribute.ts';
import { addressGroupModule } from './address-groups/module.ts';
import { addressScopeModule } from './address-scopes/module.ts';
import { availabilityZoneModule } from './agents/availability-zones.ts';
import { networkAgentHandlers } from './agents/dhcp-networks.ts';
import { routerAgentHandlers } from './agents/l3-routers.ts';
import { agentModule } from './agents/module.ts';
import { autoAllocatedTopologyModule } from './auto-allocated-topology/module.ts';
import { conntrackHelperModule } from './conntrack-helpers/module.ts';
import type { Core } from './core.ts';
import { flavorModule } from './flavors/module.ts';
import { serviceProviderModule } from './flavors/providers.ts';
import { serviceProfileModule } from './flavors/service-profiles.ts';
import { floatingIpModule } from './floatingips/module.ts';
import { floatingIpPoolModule } from './floatingips/pools.ts';
import { machineModule } from './machines/module.ts';
import { meteringLabelModule, meteringRuleModule } from './metering/module.ts';
import type { AnyModule } from './module.ts';
import { ndpProxyModule } from './ndp-proxies/module.ts';
import { ipAvailabilityModule } from './networks/ip-availability.ts';
import { networkModule } from './networks/module.ts';
import { portBindingModule } from './port-bindings/module.ts';
import { portForwardingModule } from './port-forwardings/module.ts';
import { portModule } from './ports/module.ts';
import { qosPolicyModule } from './qos/policies.ts';
import { qosRuleTypeModule } from './qos/rule-types.ts';
import { qosRuleModules } from './qos/rules.ts';
import { ConfiguredQuotas, type Quotas } from './quotas/limits.ts';
import { quotaModule } from './quotas/module.ts';
import { rbacPolicyModule } from './rbac/module.ts';
import { routerActions } from './routers/actions.ts';
import { routerModule } from './routers/module.ts';
import { defaultSecurityGroupRuleModule } from './security-groups/default-rule-module.ts';
import { securityGroupModule } from './security-groups/module.ts';
import { securityGroupRuleModule } from './security-groups/rule-module.ts';
import { segmentModule } from './segments/module.ts';
import { Service } from './service.ts';
import { subnetPoolModule } from './subnetpools/module.ts';
import { prefixHandlers } from './subnetpools/prefix-actions.ts';
import { subnetModule } from './subnets/module.ts';
import { onboardHandlers } from './subnets/onboard.ts';
import { withTags } from './tags.ts';
import { trunkModule } from './trunks/module.ts';

/** Returns the modules of all resources, including those that derive from the others: what is shared, and what is counted. */
export function resourceModules(
  core: Core,
  allocator: AddressAllocator,
  quotas: Quotas = new ConfiguredQuotas(core),
): readonly AnyModule[] {
  const listed = listedModules(core, allocator, quotas);
  const modules = [...listed, rbacPolicyModule(listed)];
  return [...modules, quotaModule(core, modules)];
}

/**
 * The only list of the resources that Neutrino serves. Routes, tags, policy, OpenAPI and the extension list derive from it.
 * `allocator`: shared by the whole process. `quotas`: of what rules create on their own, such as default security groups.
 */
const listedModules = (core: Core, allocator: AddressAllocator, quotas: Quotas): readonly AnyModule[] => [
  { ...networkModule(core, quotas), actions: networkAgentHandlers(core) },
  subnetModule(core, allocator),
  portModule(core, allocator, quotas),
  ipAvailabilityModule,
  addressScopeModule(core),
  { ...subnetPoolModule(core), actions: { ...prefixHandlers(core), ...onboardHandlers(core) } },
  {
    ...routerModule(core, allocator),
    actions: { ...routerActions(core, allocator), ...routerAgentHandlers(core) },
  },
  conntrackHelperModule(core),
  floatingIpModule(core, allocator),
  portForwardingModule(core),
  floatingIpPoolModule,
  ndpProxyModule(core),
  autoAllocatedTopologyModule(core, allocator, quotas),
  securityGroupModule(core, quotas),
  securityGroupRuleModule(core, quotas),
  defaultSecurityGroupRuleModule,
  addressGroupModule(core),
  flavorModule(core),
  serviceProfileModule(core),
  serviceProviderModule,
  agentModule(core, allocator),
  availabilityZoneModule,
  portBindingModule(core, allocator),
  trunkModule(core),
  segmentModule(core),
  qosPolicyModule,
  ...qosRuleModules(core),
  qosRuleTypeModule(core),
  meteringLabelModule,
  meteringRuleModule,
  machineModule(core),
];

/** ML2 extensions that, as in Neutron, are enabled by `extension_drivers`: alias by driver. */
const BY_DRIVER: Readonly<Record<string, string>> = {
  uplink_status_propagation: 'uplink-status-propagation',
};

/** Plugins of `service_plugins` that, as in Neutron, extend the documents of others: name, class and alias. */
const BY_PLUGIN: readonly (readonly [name: string, path: string, alias: string])[] = [
  [
    'port_forwarding',
    'neutron.services.portforwarding.pf_plugin.PortForwardingPlugin',
    'expose-port-forwarding-in-fip',
  ],
  ['conntrack_helper', 'neutron.services.conntrack_helper.plugin.Plugin', 'expose-l3-conntrack-helper'],
];

/** Returns the aliases of the extensions that the configuration disables. */
function disabledExtensions({ DEFAULT, ml2 }: Config): readonly string[] {
  const plugins = DEFAULT.service_plugins;
  return [
    ...Object.entries(BY_DRIVER).flatMap(([driver, alias]) => (ml2.extension_drivers.includes(driver) ? [] : [alias])),
    ...BY_PLUGIN.flatMap(([name, path, alias]) => (plugins.includes(name) || plugins.includes(path) ? [] : [alias])),
  ];
}

/** Returns a declaration without the attributes of disabled extensions. */
function served(resource: Resource, off: readonly string[]): Resource {
  const entries = Object.entries(resource.attributes);
  const left = entries.filter(([, { extension }]) => extension === undefined || !off.includes(extension));
  return left.length === entries.length ? resource : { ...resource, attributes: Object.fromEntries(left) };
}

/**
 * Creates the service of each module, including tags, and the policy of all of them: `policyOf` creates it from the declarations.
 * Throws an Error for modules that do not match their declarations.
 */
export function serveResources(
  core: Core,
  modules: readonly AnyModule[],
  { policyOf, quotas }: { readonly policyOf: (resources: readonly Resource[]) => Policy; readonly quotas: Quotas },
): { readonly services: readonly Service[]; readonly policy: Policy } {
  const off = disabledExtensions(core.config);
  const tagged = modules.map((module) => withTags(core, module));
  const policy = policyOf(tagged.map(({ resource }) => resource));
  const services = new Map<string, Service>();
  const resources = new Map(tagged.map(({ resource }) => [resource.name, resource]));
  for (const module of tagged) {
    requireComplete(module);
    const { name, parent } = module.resource;
    const above = parent?.inPath ? services.get(parent.name) : undefined;
    if (parent?.inPath && !above) throw new Error(`${name} is listed before its parent ${parent.name}`);
    services.set(name, new Service({ core, policy, quotas, resources }, module, served(module.resource, off), above));
  }
  return { services: [...services.values()], policy };
}

/** Throws an Error for a module whose rules and handlers are not those that its declaration promises. */
function requireComplete({ resource, ...module }: AnyModule): void {
  const declared = [
    ...resource.methods.filter((method) => method !== 'list' && method !== 'show'),
    ...Object.keys(resource.actions ?? {}),
  ];
  const written = [
    ...(['create', 'update', 'delete'] as const).filter((method) => module[method]),
    ...Object.keys(module.actions ?? {}),
  ];
  for (const name of new Set([...declared, ...written]))
    if (!written.includes(name) || !declared.includes(name))
      throw new Error(`${resource.name}: ${name} must be both in the declaration and in the module`);
}
