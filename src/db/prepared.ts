import type { Compilable, CompiledQuery, QueryResult } from 'kysely';
import type { Queries } from './database.ts';

type Convert = (value: never) => unknown;

class Parameter {
  readonly name: string;
  readonly convert: Convert | undefined;
  constructor(name: string, convert?: Convert) {
    this.name = name;
    this.convert = convert;
  }
}

/**
 * Parameters of a query that is run often: there are few such texts, so a dialect whose server parses every query may have the
 * server keep them.
 */
export class PreparedParameters extends Array<unknown> {}

/** A compiled query that takes its values when it runs. */
export type PreparedQuery<P, R> = (db: Queries, values: P) => Promise<QueryResult<R>>;

/**
 * The value of parameter `name` in a query under construction, typed as `P` says. `convert`: makes the column value of it when the
 * query runs; default: the value itself.
 */
export type ParameterOf<P> = <K extends keyof P & string>(name: K, convert?: Convert) => P[K];

/**
 * Returns a query that is built and compiled once per dialect and then only filled with values: for the queries of creating a
 * port, where building them costs more than running them.
 */
export function prepared<P extends object, R>(
  build: (db: Queries, parameter: ParameterOf<P>) => Compilable<R>,
): PreparedQuery<P, R> {
  const perDialect = new WeakMap<
    object,
    { readonly template: CompiledQuery<R>; readonly slots: readonly (Parameter | undefined)[] }
  >();
  return (db, values) => {
    const adapter = db.getExecutor().adapter;
    let known = perDialect.get(adapter);
    if (!known) {
      // The query contains the parameter instead of a value.
      const template = build(db, (name, convert) => new Parameter(name, convert) as never).compile();
      known = { template, slots: template.parameters.map((p) => (p instanceof Parameter ? p : undefined)) };
      perDialect.set(adapter, known);
    }
    const { template, slots } = known;
    const given = values as Record<string, unknown>;
    const parameters = new PreparedParameters(slots.length);
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i];
      const value = slot === undefined ? template.parameters[i] : given[slot.name];
      parameters[i] = slot?.convert ? slot.convert(value as never) : value;
    }
    return db.executeQuery<R>({ ...template, parameters });
  };
}
