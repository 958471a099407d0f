import type { Caller } from '../../../src/auth/contract.ts';
import type { Document } from '../../../src/plugin/module.ts';
import type { Service } from '../../../src/plugin/service.ts';
import { ADMIN, type ConfigChanges, createWorld, type World } from '../world.ts';

type Router = Document & { readonly id: string; readonly revision_number: number };

/** A world with routers. */
export interface RouterWorld extends World {
  readonly routers: Service;
  router(values?: Document, caller?: Caller): Promise<Router>;
  show(id: string, caller?: Caller): Promise<Document>;
  update(id: string, changes: Document, caller?: Caller): Promise<Document>;
  act(name: string, id: string, body?: unknown, caller?: Caller): Promise<Document>;
  /** Adds an interface on a new network with this subnet; returns the ids. */
  attached(
    router: string,
    cidr: string,
    values?: Document,
  ): Promise<{ readonly network: string; readonly subnet: string; readonly port: string }>;
  /** Makes an external network with this subnet. */
  external(cidr: string, values?: Document): Promise<{ readonly network: string; readonly subnet: string }>;
  portsOf(router: string, owner: string): Promise<readonly Document[]>;
}

export async function createRouterWorld(changes: ConfigChanges = {}): Promise<RouterWorld> {
  const world = await createWorld(changes);
  const routers = world.of('router');
  const ports = world.of('port');
  const act = async (name: string, id: string, body: unknown = undefined, caller = ADMIN) =>
    (await routers.act(caller, name, { id, parameters: {}, body, revision: undefined })) as Document;
  return {
    ...world,
    routers,
    act,
    async router(values = {}, caller = ADMIN) {
      const [made] = await routers.create(caller, [{ name: 'r', ...values }]);
      return made as Router;
    },
    show: (id, caller = ADMIN) => routers.show(caller, id),
    update: (id, given, caller = ADMIN) => routers.update(caller, id, given),
    async attached(router, cidr, values = {}) {
      const network = await world.network();
      const subnet = await world.subnet(network, cidr, values);
      const { port_id } = await act('add_router_interface', router, { subnet_id: subnet });
      return { network, subnet, port: String(port_id) };
    },
    async external(cidr, values = {}) {
      const network = await world.network({ 'router:external': true });
      return { network, subnet: await world.subnet(network, cidr, { enable_dhcp: false, ...values }) };
    },
    portsOf: (router, owner) =>
      ports.list(ADMIN, { filters: { device_id: [router], device_owner: [owner] }, sorts: [], pageReverse: false }),
  };
}
