import type { Compilable, CompiledQuery, QueryResult } from 'kysely';
import type { Queries } from './database.ts';

class Parameter {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/**
 * Parameters of a query that is run often: there are few such texts, so a dialect whose server parses every query may have the
 * server keep them.
 */
export class PreparedParameters extends Array<unknown> {}

/** A compiled query that takes its values when it runs. */
export type PreparedQuery<P, R> = (db: Queries, values: P) => Promise<QueryResult<R>>;

/** The value of parameter `name` in a query under construction, typed as `P` says. */
export type ParameterOf<P> = <K extends keyof P & string>(name: K) => P[K];

/**
 * Returns a query that is built and compiled once per dialect and then only filled with values: for the queries of creating a
 * port, where building them costs more than running them.
 */
export function prepared<P extends object, R>(
  build: (db: Queries, parameter: ParameterOf<P>) => Compilable<R>,
): PreparedQuery<P, R> {
  const perDialect = new WeakMap<
    object,
    { readonly template: CompiledQuery<R>; readonly slots: readonly (string | undefined)[] }
  >();
  return (db, values) => {
    const adapter = db.getExecutor().adapter;
    let known = perDialect.get(adapter);
    if (!known) {
      const template = build(
        db,
        ((name: string) => new Parameter(name)) as unknown as ParameterOf<P>,
      ).compile() as CompiledQuery<R>;
      known = { template, slots: template.parameters.map((p) => (p instanceof Parameter ? p.name : undefined)) };
      perDialect.set(adapter, known);
    }
    const { template, slots } = known;
    const given = values as Record<string, unknown>;
    const parameters = new PreparedParameters(slots.length);
    for (const [i, name] of slots.entries()) parameters[i] = name === undefined ? template.parameters[i] : given[name];
    return db.executeQuery<R>({ ...template, parameters });
  };
}
