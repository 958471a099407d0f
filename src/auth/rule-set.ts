import { type Check, compileRule, PolicySyntaxError } from './language.ts';

/** A rule that can be evaluated. */
export interface Compiled {
  readonly text: string;
  readonly check: Check;
  /** Names, singular or plural, of the resources that the rule compares attributes of. */
  readonly relations: readonly string[];
  readonly dependsOnTarget: boolean;
  /** Names of the rules that it refers to. */
  readonly refersTo: ReadonlySet<string>;
}

/** Rules that refer to each other, by name. */
export class RuleSet {
  readonly #texts: ReadonlyMap<string, string>;
  readonly #compiled = new Map<string, Compiled>();

  /** Throws PolicySyntaxError for rules that cannot be parsed, refer to unknown rules, or to themselves. */
  constructor(texts: ReadonlyMap<string, string>) {
    this.#texts = texts;
    for (const name of texts.keys()) this.#compile(name, []);
  }

  get(name: string): Compiled | undefined {
    return this.#compiled.get(name);
  }

  /** Returns whether another rule refers to this one. */
  isReferred(name: string): boolean {
    return [...this.#compiled.values()].some(({ refersTo }) => refersTo.has(name));
  }

  #compile(name: string, within: readonly string[]): Compiled {
    const known = this.#compiled.get(name);
    if (known) return known;
    if (within.includes(name)) throw new PolicySyntaxError('the rule refers to itself', name);
    const used: Compiled[] = [];
    const resolve = (other: string): Check => {
      if (!this.#texts.has(other)) throw new PolicySyntaxError(`there is no rule '${other}'`, name);
      const rule = this.#compile(other, [...within, name]);
      used.push(rule);
      return rule.check;
    };
    try {
      const text = this.#texts.get(name) ?? '!';
      const { check, refs } = compileRule(text, resolve);
      const compiled = {
        text,
        check,
        relations: [...new Set([...refs.relations, ...used.flatMap(({ relations }) => relations)])],
        dependsOnTarget: refs.target || used.some(({ dependsOnTarget }) => dependsOnTarget),
        refersTo: refs.rules,
      };
      this.#compiled.set(name, compiled);
      return compiled;
    } catch (error) {
      if (!(error instanceof PolicySyntaxError) || error.rule !== undefined) throw error;
      throw new PolicySyntaxError(error.message, name);
    }
  }
}
