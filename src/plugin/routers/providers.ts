/** Kinds of routers (`service_type` L3_ROUTER_NAT), as service-providers lists them, with Neutron's names and drivers. */

export const L3_SERVICE = 'L3_ROUTER_NAT';

export interface ServiceProvider {
  readonly service_type: string;
  readonly name: string;
  readonly default: boolean;
  readonly driver: string;
  readonly ha: boolean;
  readonly distributed: boolean;
}

const provider = (name: string, driver: string, ha: boolean, distributed: boolean): ServiceProvider => ({
  service_type: L3_SERVICE,
  name,
  default: false,
  driver: `neutron.services.l3_router.service_providers.${driver}`,
  ha,
  distributed,
});

export const SERVICE_PROVIDERS: readonly ServiceProvider[] = [
  provider('dvrha', 'dvrha.DvrHaDriver', true, true),
  provider('dvr', 'dvr.DvrDriver', false, true),
  provider('ha', 'ha.HaDriver', true, false),
  provider('single_node', 'single_node.SingleNodeDriver', false, false),
];
