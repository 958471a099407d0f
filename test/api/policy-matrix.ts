import { readFileSync } from 'node:fs';
import { type Case, callers, cases, fixtures, type Step } from '../fixtures/policy/scenario.mjs';

/** Sends the requests of the policy scenario as each caller, and compares the answers with the recorded ones. */

/** What an answer shows: never values, only who gets what. */
interface Seen {
  readonly status: number;
  readonly type?: string;
  /** Attributes of the resource, or of all listed ones. */
  readonly keys?: readonly string[];
  /** Names of the permanent fixtures that are listed. */
  readonly visible?: readonly string[];
}

interface Line {
  readonly case: string;
  readonly callers: Readonly<Record<string, Seen>>;
}

/** An answer that is not the recorded one, or a case that could not be prepared. */
export interface Mismatch {
  readonly case: string;
  readonly caller: string;
  readonly what: string;
}

export interface Tokens {
  readonly projects: Readonly<Record<string, string>>;
  readonly tokens: Readonly<Record<string, string | null>>;
}

/** The recorded answers, without those of 500: they are defects, not expectations. */
export const MATRIX: ReadonlyMap<string, Line['callers']> = new Map(
  readFileSync(new URL('../fixtures/policy/matrix.jsonl', import.meta.url), 'utf8')
    .trimEnd()
    .split('\n')
    .map((text) => {
      const line = JSON.parse(text) as Line;
      return [line.case, Object.fromEntries(Object.entries(line.callers).filter(([, { status }]) => status !== 500))];
    }),
);

type Json = Readonly<Record<string, unknown>>;
type Things = Record<string, unknown>;

interface Answer {
  readonly status: number;
  readonly json: unknown;
}

const isObject = (value: unknown): value is Json => value !== null && typeof value === 'object';

/** Returns the only value of a body such as `{"port": {...}}`. */
function inner(json: unknown): unknown {
  const values = isObject(json) ? Object.values(json) : [];
  return values.length === 1 && isObject(values[0]) ? values[0] : json;
}

const idOf = (value: unknown): string | undefined =>
  isObject(value) && typeof value.id === 'string' ? value.id : undefined;

class Missing extends Error {}

const TEMPLATE = /\{([a-z][a-z0-9_]*)(?:#([a-z0-9_.]+))?\}/g;

/** Fills `{alias}` with ids, `{alias#attribute}` with attributes, and `{n}` with the case's number. Throws Missing. */
function fill(value: unknown, things: Things, n: number): unknown {
  if (value === '{n}') return n;
  if (typeof value === 'string')
    return value.replace(TEMPLATE, (_, alias: string, attribute: string | undefined) => {
      if (alias === 'n') return attribute === 'hex' ? n.toString(16).padStart(2, '0') : String(n);
      const thing = things[alias];
      const path = (attribute ?? 'id').split('.');
      const found =
        typeof thing === 'string' ? thing : path.reduce<unknown>((at, key) => (at as Json | undefined)?.[key], thing);
      if (found === undefined) throw new Missing(`${alias}${attribute ? `#${attribute}` : ''}`);
      return String(found);
    });
  if (Array.isArray(value)) return value.map((item) => fill(item, things, n));
  if (isObject(value))
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(item, things, n)]));
  return value;
}

class Run {
  readonly #url: string;
  readonly #tokens: Tokens['tokens'];
  readonly #common: Things;
  readonly #names = new Map<string, string>();
  readonly #mismatches: Mismatch[] = [];

  constructor(url: string, { projects, tokens }: Tokens) {
    this.#url = url;
    this.#tokens = tokens;
    this.#common = { ...projects };
    for (const [name, id] of Object.entries(projects)) this.#names.set(id, name);
  }

  async all(jobs: number): Promise<readonly Mismatch[]> {
    for (const step of fixtures) {
      await this.#make(step, this.#common, 0);
      const id = idOf(this.#common[step.alias ?? '']);
      if (step.alias && id) this.#names.set(id, step.alias);
    }
    let last = 0;
    const numbered = cases
      .map((one) => ({ one, n: JSON.stringify([one.path, one.body, one.fresh]).includes('{n') ? ++last : 0 }))
      .filter(({ one }) => MATRIX.has(one.case));
    const sideBySide = numbered.filter(({ one }) => !one.serial);
    await Promise.all(
      Array.from({ length: jobs }, async () => {
        for (let next = sideBySide.shift(); next; next = sideBySide.shift()) await this.#case(next.one, next.n);
      }),
    );
    for (const { one, n } of numbered) if (one.serial) await this.#case(one, n);
    return this.#mismatches;
  }

  async #send(caller: string, method: string, path: string, body?: unknown, headers: Json = {}): Promise<Answer> {
    const token = this.#tokens[caller];
    const raw = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
    const answer = await fetch(this.#url + path, {
      method,
      redirect: 'manual',
      signal: AbortSignal.timeout(60_000),
      headers: {
        accept: 'application/json',
        ...(raw === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token ? { 'x-auth-token': token } : {}),
        ...(headers as Record<string, string>),
      },
      ...(raw === undefined ? {} : { body: raw }),
    });
    const text = await answer.text();
    try {
      return { status: answer.status, json: JSON.parse(text) };
    } catch {
      return { status: answer.status, json: undefined };
    }
  }

  async #make(step: Step, things: Things, n: number): Promise<void> {
    const { alias = step.path ?? '', as } = step;
    if (step.lookup !== undefined) {
      const found = inner((await this.#send(as, 'GET', String(fill(step.lookup, things, n)))).json);
      if (!Array.isArray(found) || !idOf(found[0])) throw new Missing(`${alias} (${step.lookup})`);
      things[alias] = found[0];
      return;
    }
    const path = String(fill(step.path, things, n));
    const answer = await this.#send(as, step.method ?? 'GET', path, fill(step.body, things, n));
    if (answer.status >= 300) throw new Missing(`${alias}: ${answer.status} ${JSON.stringify(answer.json)}`);
    things[alias] = inner(answer.json);
  }

  async #remove(path: string): Promise<void> {
    const { status } = await this.#send('admin', 'DELETE', path);
    if (status !== 409 || !path.includes('/ports/')) return;
    await this.#send('admin', 'PUT', path, { port: { device_owner: '', device_id: '' } });
    await this.#send('admin', 'DELETE', path);
  }

  async #unmake(steps: readonly Step[], things: Things, n: number): Promise<void> {
    for (const step of [...steps].reverse()) {
      for (const [method, path, body] of step.undo ?? [])
        await this.#send('admin', method, String(fill(path, things, n)), fill(body, things, n));
      const id = step.method === 'POST' ? idOf(things[step.alias ?? '']) : undefined;
      if (id) await this.#remove(`${fill(step.path, things, n)}/${id}`);
    }
  }

  /** Sends a case as each caller; what it needs is made anew after a caller who changed something. */
  async #case(one: Case, n: number): Promise<void> {
    const expected = MATRIX.get(one.case) ?? {};
    let things: Things | undefined;
    const end = async () => {
      if (things && one.fresh) await this.#unmake(one.fresh, things, n);
      things = undefined;
    };
    for (const caller of one.callers ?? Object.keys(callers)) {
      try {
        if (!things) {
          things = Object.create(this.#common) as Things;
          for (const step of one.fresh ?? []) await this.#make(step, things, n);
        }
        const path = String(fill(one.path, things, n));
        const body = one.raw ? one.body : fill(one.body, things, n);
        const answer = await this.#send(caller, one.method, path, body, fill(one.headers ?? {}, things, n) as Json);
        this.#compare(one, caller, expected[caller], this.#seen(one, answer));
        if (one.method === 'GET' || (answer.status >= 400 && answer.status < 500)) continue;
        for (const [method, at, undo] of one.undo ?? [])
          await this.#send('admin', method, String(fill(at, things, n)), fill(undo, things, n));
        if (one.method === 'POST' && !one.keep)
          for (const made of [inner(answer.json)].flat()) if (idOf(made)) await this.#remove(`${path}/${idOf(made)}`);
        if (one.fresh) await end();
      } catch (error) {
        if (!(error instanceof Missing)) throw error;
        this.#mismatches.push({ case: one.case, caller, what: `not prepared: ${error.message}` });
        await end().catch(() => undefined);
      }
    }
    await end();
  }

  #seen(one: Case, { status, json }: Answer): Seen {
    const type = isObject(json) && isObject(json.NeutronError) ? json.NeutronError.type : undefined;
    if (typeof type === 'string') return { status, type };
    if (status >= 300) return { status };
    const value = inner(json);
    const keys = (items: readonly unknown[]) => [...new Set(items.flatMap((item) => Object.keys(item as Json)))].sort();
    if (!Array.isArray(value)) return isObject(value) ? { status, keys: Object.keys(value).sort() } : { status };
    if (one.method !== 'GET') return { status, keys: keys(value) };
    if (value.every((item) => typeof item === 'string')) return { status, visible: [...value].sort() };
    const own = (value as readonly Json[]).flatMap((item) => {
      const name = this.#nameOf(item);
      return name === undefined ? [] : [{ item, name }];
    });
    const names = own.flatMap(({ name }) => (name === '' ? [] : [name]));
    const visible = one.case.startsWith('extensions') ? ['...'] : [...new Set(names)].sort();
    return { status, keys: keys(own.map(({ item }) => item)), visible };
  }

  /** Returns the alias of a permanent fixture, or what a thing is called; empty: nothing; undefined: a thing of another case. */
  #nameOf(item: Json): string | undefined {
    const key = ['id', 'network_id', 'subnet_id', 'project_id', 'tenant_id', 'alias', 'name', 'type', 'host']
      .map((name) => item[name])
      .find((value) => value !== undefined && value !== null);
    if (key === undefined) return '';
    const text = String(key);
    return this.#names.get(text) ?? (/^[0-9a-f]{8}-|^[0-9a-f]{32}$/.test(text) ? undefined : text);
  }

  #compare(one: Case, caller: string, expected: Seen | undefined, seen: Seen): void {
    if (!expected) return;
    const what = (['status', 'type', 'keys', 'visible'] as const)
      .filter((field) => JSON.stringify(expected[field]) !== JSON.stringify(seen[field]))
      .map((field) => `${field} ${JSON.stringify(expected[field])} -> ${JSON.stringify(seen[field])}`);
    if (what.length > 0) this.#mismatches.push({ case: one.case, caller, what: what.join('; ') });
  }
}

/** Runs all recorded cases against a server that is empty but for one DHCP agent; returns the answers that differ. */
export const comparePolicy = (url: string, tokens: Tokens, jobs = 3): Promise<readonly Mismatch[]> =>
  new Run(url, tokens).all(jobs);
