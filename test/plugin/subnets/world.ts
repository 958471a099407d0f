import type { Database } from '../../../src/db/database.ts';
import { openDatabase } from '../../../src/db/open.ts';
import { AddressAllocator } from '../../../src/ipam/allocate.ts';
import type { Core, Document, RequestContext, ResourceRules } from '../../../src/plugin/core.ts';
import { networkRules } from '../../../src/plugin/networks/rules.ts';
import { portRules } from '../../../src/plugin/ports/rules.ts';
import { subnetRules } from '../../../src/plugin/subnets/rules.ts';
import type { Resource } from '../../../src/resources/attribute.ts';
import { NETWORK } from '../../../src/resources/network.ts';
import { PORT } from '../../../src/resources/port.ts';
import { SUBNET } from '../../../src/resources/subnet.ts';
import { validateCreate, validateUpdate } from '../../../src/resources/validate.ts';
import { ADMIN, openCore } from '../../support/core.ts';

export type Made = Document & { readonly id: string };
type Values = Readonly<Record<string, unknown>>;

/** One resource's rules, reached as the API reaches them: values are checked against the declaration first. */
export interface Face {
  readonly rules: ResourceRules;
  create(values: Values, context?: RequestContext): Promise<Made>;
  createAll(values: readonly Values[], context?: RequestContext): Promise<readonly Made[]>;
  update(id: string, values: Values, revision?: number, context?: RequestContext): Promise<Made>;
  show(id: string, context?: RequestContext): Promise<Made>;
  remove(id: string, revision?: number, context?: RequestContext): Promise<void>;
}

/** A server's rules on one database handle. */
export interface Server {
  readonly core: Core;
  readonly networks: Face;
  readonly subnets: Face;
  readonly ports: Face;
}

export interface World extends Server {
  /** Another server on the same database. */
  second(): Server;
  /** What agents are to be told, in order, since the last call. */
  told(): Promise<readonly { readonly method: string; readonly payload: Record<string, Document> }[]>;
  close(): Promise<void>;
}

function face(resource: Resource, rules: ResourceRules): Face {
  const missing = (): never => {
    throw new Error(`${resource.plural} cannot do that`);
  };
  const createAll = async (values: readonly Values[], context = ADMIN) => {
    const items = values.map((v) => validateCreate(resource, v, context.projectId));
    return ((await rules.create?.(context, items)) ?? missing()) as readonly Made[];
  };
  return {
    rules,
    createAll,
    create: async (values, context) => (await createAll([values], context))[0] ?? missing(),
    update: async (id, values, revision, context = ADMIN) =>
      ((await rules.update?.(context, id, validateUpdate(resource, values), revision)) ?? missing()) as Made,
    show: async (id, context = ADMIN) => (await rules.show(context, id)) as Made,
    remove: async (id, revision, context = ADMIN) => (rules.delete ?? missing)(context, id, revision),
  };
}

function server(core: Core): Server {
  return {
    core,
    networks: face(NETWORK, networkRules(core)),
    subnets: face(SUBNET, subnetRules(core)),
    ports: face(PORT, portRules(core, new AddressAllocator())),
  };
}

/** The rules over a database of their own. */
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

/** The type of the NeutronError that a promise ends in; `fine` when it does not. */
export const outcomeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'fine',
    (error: { type?: string }) => error.type ?? String(error),
  );
