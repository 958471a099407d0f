import { createHash } from 'node:crypto';
import { SETS } from './skeleton.ts';

/** A chain as it is, or should be. */
interface Chain {
  /** Of its rules; undefined: it was not made by us. */
  readonly hash: string | undefined;
  /** Number of its rules, with the one that has the hash. */
  readonly count: number;
  readonly rules: readonly string[];
  /** Names of chains and sets in the table that its rules refer to. */
  readonly references: ReadonlySet<string>;
}

/** Sets, maps and chains by `family table name`; elements as nft prints them. */
export interface Ruleset {
  readonly sets: Map<string, Set<string>>;
  readonly chains: Map<string, Chain>;
  /** Definitions of sets that are not part of the skeleton. */
  readonly types: Map<string, string>;
}

export const emptyRuleset = (): Ruleset => ({ sets: new Map(), chains: new Map(), types: new Map() });

/** Elements in one command, whose length nft limits. */
const PER_COMMAND = 500;
const COMMENT = /comment "neutrino ([0-9a-f]+)"/;
const REFERENCE = /(?:jump |goto |@)([A-Za-z][\w/.-]*)/g;

const hashOf = (rules: readonly string[]): string =>
  createHash('sha256').update(rules.join('\n')).digest('hex').slice(0, 16);

function chainOf(rules: readonly string[]): Chain {
  const text = rules.join('\n');
  return {
    hash: COMMENT.exec(text)?.[1],
    count: rules.length,
    rules,
    references: new Set([...text.matchAll(REFERENCE)].map(([, name = '']) => name)),
  };
}

/** Returns a chain with these rules, as `Change.chain` writes it. */
const written = (rules: readonly string[]): readonly string[] => [
  `counter comment "neutrino ${hashOf(rules)}"`,
  ...rules,
];

/** Reads a table that `nft -s list table` printed. */
export function readTable(text: string, into: Ruleset): void {
  const table = /^table (\S+ \S+) \{/m.exec(text)?.[1] ?? '';
  for (const [, kind = '', name = '', body = ''] of text.matchAll(/^\t(set|map|chain) (\S+) \{\n(.*?)^\t\}/gms)) {
    const full = `${table} ${name}`;
    if (kind === 'chain') {
      const rules = body.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()]));
      into.chains.set(full, chainOf(rules.filter((rule) => !rule.startsWith('type '))));
    } else {
      if (kind === 'set' && !Object.hasOwn(SETS, full)) into.types.set(full, typeOf(body));
      const elements = /elements = \{([^}]*)\}/s.exec(body)?.[1] ?? '';
      const texts = elements.split(',').map((element) => element.trim().replace(/\s+/g, ' '));
      into.sets.set(full, new Set(texts.filter((element) => element !== '')));
    }
  }
}

/** Returns the definition of a set from what nft prints of it. */
const typeOf = (body: string): string =>
  `{ ${[...body.matchAll(/^\t\t((?:type|flags) .*)$/gm)].map(([, line = '']) => `${line};`).join(' ')} }`;

/** The key of an element of a map, which removes it; of a set, the element. */
const keyOf = (element: string): string => element.split(' : ')[0] ?? element;

/** What a change takes away, by chain and set. */
export interface Removed {
  readonly rules: ReadonlyMap<string, readonly string[]>;
  readonly elements: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Changes of a ruleset that are made together. What it holds already costs nothing. */
export class Change {
  readonly #before: Ruleset;
  readonly #made: string[] = [];
  readonly #rules: string[] = [];
  readonly #taken = new Map<string, Set<string>>();
  readonly #put = new Map<string, Set<string>>();
  readonly #dropped: string[] = [];
  readonly #effects: ((ruleset: Ruleset) => void)[] = [];
  readonly #removedRules = new Map<string, readonly string[]>();

  constructor(before: Ruleset) {
    this.#before = before;
  }

  get isEmpty(): boolean {
    const parts = [this.#made, this.#rules, this.#dropped];
    return parts.every((part) => part.length === 0) && this.#taken.size === 0 && this.#put.size === 0;
  }

  /** The set exists. `type`: its definition, such as `{ type ipv4_addr; }`. */
  set(name: string, type: string): void {
    if (this.#before.sets.has(name)) return;
    this.#made.push(`add set ${name} ${type}`);
    this.#effects.push(({ sets, types }) => {
      sets.set(name, sets.get(name) ?? new Set());
      types.set(name, type);
    });
  }

  /** The set or map has these elements, and no others of those in `among`. */
  elements(name: string, wanted: readonly string[], among: Iterable<string>): void {
    const present = this.#before.sets.get(name) ?? new Set();
    const right = new Set(wanted);
    for (const element of among)
      if (!right.has(element) && present.has(element)) this.#note(this.#taken, name, element);
    for (const element of right) if (!present.has(element)) this.#note(this.#put, name, element);
  }

  /** The chain has these rules. */
  chain(name: string, rules: readonly string[]): void {
    const full = written(rules);
    const chain = chainOf(full);
    const before = this.#before.chains.get(name);
    if (before?.hash === chain.hash && before?.count === chain.count) return;
    const kept = new Set(full);
    const gone = (before?.rules ?? []).filter((rule) => !kept.has(rule) && !COMMENT.test(rule));
    if (gone.length > 0) this.#removedRules.set(name, gone);
    this.#made.push(`add chain ${name}`);
    this.#rules.push(`flush chain ${name}`, ...full.map((rule) => `add rule ${name} ${rule}`));
    this.#effects.push(({ chains }) => chains.set(name, chain));
  }

  /** Nothing refers to the chain any more, and it is gone. */
  dropChain(name: string): void {
    if (!this.#before.chains.has(name)) return;
    this.#dropped.push(`flush chain ${name}`, `delete chain ${name}`);
    this.#effects.push(({ chains }) => chains.delete(name));
  }

  dropSet(name: string): void {
    if (!this.#before.sets.has(name)) return;
    this.#dropped.push(`delete set ${name}`);
    this.#effects.push(({ sets, types }) => {
      sets.delete(name);
      types.delete(name);
    });
  }

  /** Returns the script. An element of a map that gets another value is removed first. */
  script(): string {
    return [
      ...this.#made,
      ...this.#rules,
      ...elementCommands('delete', this.#taken, keyOf),
      ...elementCommands('add', this.#put),
      ...this.#dropped,
      '',
    ].join('\n');
  }

  get removed(): Removed {
    return { rules: this.#removedRules, elements: this.#taken };
  }

  /** The script has run. */
  commit(): void {
    for (const effect of this.#effects) effect(this.#before);
    for (const [name, elements] of this.#taken) for (const one of elements) this.#before.sets.get(name)?.delete(one);
    for (const [name, elements] of this.#put) for (const one of elements) this.#before.sets.get(name)?.add(one);
  }

  #note(changes: Map<string, Set<string>>, name: string, element: string): void {
    const known = changes.get(name) ?? new Set();
    changes.set(name, known.add(element));
  }
}

/** Returns commands for elements by set; `text`: how each is written, as it is unless told otherwise. */
export function elementCommands(
  verb: 'add' | 'delete',
  changes: ReadonlyMap<string, ReadonlySet<string>>,
  text: (element: string) => string = (element) => element,
): readonly string[] {
  const lines: string[] = [];
  for (const [name, elements] of changes) {
    const all = [...elements].map(text);
    for (let at = 0; at < all.length; at += PER_COMMAND)
      lines.push(`${verb} element ${name} { ${all.slice(at, at + PER_COMMAND).join(', ')} }`);
  }
  return lines;
}
