import type { Caller } from '../../../src/auth/contract.ts';
import type { Database } from '../../../src/db/database.ts';
import { openDatabase } from '../../../src/db/open.ts';
import type { Core } from '../../../src/plugin/core.ts';
import type { Document } from '../../../src/plugin/module.ts';
import type { Service } from '../../../src/plugin/service.ts';
import { ADMIN, openCore } from '../../support/core.ts';
import { servicesOf } from '../../support/services.ts';

export type Made = Document & { readonly id: string };
type Values = Readonly<Record<string, unknown>>;

/** The service of a resource, as called by the API. */
interface Face {
  readonly service: Service;
  create(values: Values, caller?: Caller): Promise<Made>;
  createAll(values: readonly Values[], caller?: Caller): Promise<readonly Made[]>;
  update(id: string, values: Values, revision?: number, caller?: Caller): Promise<Made>;
  show(id: string, caller?: Caller): Promise<Made>;
  remove(id: string, revision?: number, caller?: Caller): Promise<void>;
}

/** A server's rules on one database handle. */
export interface Server {
  readonly core: Core;
  readonly networks: Face;
  readonly subnets: Face;
  readonly ports: Face;
  readonly pools: Face;
  readonly scopes: Face;
  readonly shares: Face;
}

export interface World extends Server {
  /** Another server on the same database. */
  second(): Server;
  /** Returns the notifications enqueued for agents since the last call, in order. */
  told(): Promise<readonly { readonly method: string; readonly payload: Record<string, Document> }[]>;
  close(): Promise<void>;
}

function face(service: Service): Face {
  const createAll = async (values: readonly Values[], caller = ADMIN) =>
    (await service.create(caller, values)) as readonly Made[];
  return {
    service,
    createAll,
    async create(values, caller) {
      const [made] = await createAll([values], caller);
      if (!made) throw new Error(`no ${service.resource.name} was made`);
      return made;
    },
    update: async (id, values, revision, caller = ADMIN) =>
      (await service.update(caller, id, values, revision)) as Made,
    show: async (id, caller = ADMIN) => (await service.show(caller, id)) as Made,
    remove: (id, revision, caller = ADMIN) => service.delete(caller, id, revision),
  };
}

function server(core: Core): Server {
  const services = servicesOf(core);
  return {
    core,
    networks: face(services.of('network')),
    subnets: face(services.of('subnet')),
    ports: face(services.of('port')),
    pools: face(services.of('subnetpool')),
    scopes: face(services.of('address_scope')),
    shares: face(services.of('rbac_policy')),
  };
}

/** The rules with their own database. */
export async function openWorld(overrides: Parameters<typeof openCore>[0] = {}): Promise<World> {
  const core = await openCore(overrides);
  const others: Database[] = [];
  return {
    ...server(core),
    second() {
      const db = openDatabase(core.config);
      others.push(db);
      return server({ ...core, db });
    },
    async told() {
      const rows = await core.db.kysely.selectFrom('outbox').selectAll().orderBy('id').execute();
      await core.db.kysely.deleteFrom('outbox').execute();
      return rows.map((r) => ({ method: r.method, payload: JSON.parse(r.payload) as Record<string, Document> }));
    },
    async close() {
      for (const db of others) await db.close();
      await core.dispose();
    },
  };
}

/** Returns the type of the NeutronError with which a promise is rejected; `fine` if it is not. */
export const outcomeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'fine',
    (error: { type?: string }) => error.type ?? String(error),
  );
