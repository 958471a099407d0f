import type { Queries, Trx } from '../../db/database.ts';
import type { Authorization } from '../authorization.ts';
import type { Json } from '../body.ts';
import { notFound } from '../errors.ts';
import {
  adminOf,
  documentIn,
  linked,
  listAnswer,
  noContent,
  parameter,
  queryOf,
  type RouteParts,
  readerOf,
} from './context.ts';

/** Something that is listed, shown, created, updated and deleted: users, projects, domains, roles. */
export interface Collection<Row extends { readonly id: string; readonly name: string }> {
  /** Key of a document: `user`. */
  readonly name: string;
  /** Path and key of a list: `users`. */
  readonly plural: string;
  document(row: Row): { readonly id: string } & Readonly<Record<string, unknown>>;
  find(db: Queries, id: string): Promise<Row | undefined>;
  list(db: Queries, query: URLSearchParams): Promise<readonly Row[]>;
  /** Returns whether somebody who may not read everything may see this one; default: nobody. */
  own?(caller: Authorization, id: string): boolean;
  /** Validates a document; returns what creates it. */
  create(document: Json, caller: Authorization): Promise<(trx: Trx) => Promise<Row>>;
  /** Validates a document; returns what stores its changes. */
  update(document: Json): Promise<(trx: Trx, former: Row) => Promise<Row>>;
  delete(trx: Trx, row: Row): Promise<void>;
}

/** Returns a row. Throws IdentityError 404. */
export async function requireRow<Row extends { readonly id: string; readonly name: string }>(
  { name, find }: Pick<Collection<Row>, 'name' | 'find'>,
  db: Queries,
  id: string,
): Promise<Row> {
  const row = await find(db, id);
  if (!row) throw notFound(name, id);
  return row;
}

/** Adds the five routes of a collection. Reading needs an administrator or a reader of the system, changes an administrator. */
export function collectionRoutes<Row extends { readonly id: string; readonly name: string }>(
  parts: RouteParts,
  collection: Collection<Row>,
): void {
  const { app, identity, changes } = parts;
  const { name, plural } = collection;
  const all = `/v3/${plural}`;
  const one = `${all}/:id`;
  const shown = (request: Parameters<typeof linked>[1], row: Row) =>
    linked(identity, request, plural, collection.document(row));

  app.get(all, async (request) => {
    await readerOf(parts, request);
    const rows = await collection.list(identity.db, queryOf(request));
    const documents = rows.map((row) => shown(request, row));
    return listAnswer(identity, request, plural, documents);
  });

  app.get(one, async (request) => {
    const id = parameter(request, 'id');
    await readerOf(parts, request, (caller) => collection.own?.(caller, id) === true);
    return { [name]: shown(request, await requireRow(collection, identity.db, id)) };
  });

  app.post(all, async (request, reply) => {
    changes.note(request, { action: 'create', resource: name });
    const caller = await adminOf(parts, request);
    const create = await collection.create(documentIn(request, name), caller);
    const row = await identity.change(create);
    changes.note(request, { action: 'create', resource: name, ids: [row.id], names: [row.name] });
    reply.code(201);
    return { [name]: shown(request, row) };
  });

  app.patch(one, async (request) => {
    const id = parameter(request, 'id');
    changes.note(request, { action: 'update', resource: name, ids: [id] });
    await adminOf(parts, request);
    const update = await collection.update(documentIn(request, name));
    const row = await identity.change(async (trx) => update(trx, await requireRow(collection, trx, id)));
    changes.note(request, { action: 'update', resource: name, ids: [id], names: [row.name] });
    return { [name]: shown(request, row) };
  });

  app.delete(one, async (request, reply) => {
    const id = parameter(request, 'id');
    changes.note(request, { action: 'delete', resource: name, ids: [id] });
    await adminOf(parts, request);
    const row = await identity.change(async (trx) => {
      const found = await requireRow(collection, trx, id);
      await collection.delete(trx, found);
      return found;
    });
    changes.note(request, { action: 'delete', resource: name, ids: [id], names: [row.name] });
    return noContent(reply);
  });
}
