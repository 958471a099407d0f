import { type CallersApi, openCallersApi } from '../../support/callers.ts';

/** A server with an external network, and a network of project p1 that a router connects with it. */
export interface FloatingWorld extends CallersApi {
  readonly external: string;
  readonly externalSubnet: string;
  readonly network: string;
  readonly subnet: string;
  readonly router: string;
  /** Creates a port of p1 on the network; returns it. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read documents of any shape
  port(values?: object): Promise<any>;
  /** Creates a floating IP of p1; returns it. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  floatingIp(values?: object): Promise<any>;
  /** Routers that agents were notified of since the last call. */
  notified(): Promise<readonly string[]>;
}

export async function openFloatingWorld(overrides: Parameters<typeof openCallersApi>[0] = {}): Promise<FloatingWorld> {
  const api = await openCallersApi(overrides);
  const { create, ask, core } = api;
  const { id: external } = await create('/networks', 'network', { 'router:external': true });
  const { id: externalSubnet } = await create('/subnets', 'subnet', {
    network_id: external,
    ip_version: 4,
    cidr: '203.0.113.0/28',
    enable_dhcp: false,
  });
  const { id: network } = await create('/networks', 'network', {}, 'p1');
  const { id: subnet } = await create(
    '/subnets',
    'subnet',
    { network_id: network, ip_version: 4, cidr: '10.0.0.0/24' },
    'p1',
  );
  const gateway = { external_gateway_info: { network_id: external } };
  const { id: router } = await create('/routers', 'router', gateway, 'p1');
  await ask('PUT', `/routers/${router}/add_router_interface`, { subnet_id: subnet }, 'p1');
  let last = 0;
  return {
    ...api,
    external,
    externalSubnet,
    network,
    subnet,
    router,
    port: (values = {}) => create('/ports', 'port', { network_id: network, ...values }, 'p1'),
    floatingIp: (values = {}) =>
      create('/floatingips', 'floatingip', { floating_network_id: external, ...values }, 'p1'),
    async notified() {
      const rows = await core.db.kysely
        .selectFrom('outbox')
        .select(['id', 'ordering_key'])
        .where('method', '=', 'routers_updated')
        .where('id', '>', last)
        .orderBy('id')
        .execute();
      last = rows.at(-1)?.id ?? last;
      return rows.map((row) => row.ordering_key);
    },
  };
}
