/** A value that cannot be served and is omitted; the message names it and the reason. */
export class Refused extends Error {
  constructor(what: string, value: string, wanted: string) {
    super(`${what} ${JSON.stringify(value.length > 200 ? `${value.slice(0, 200)}...` : value)}: must be ${wanted}`);
    this.name = 'Refused';
  }
}

/** An omitted value: its owner and the reason. */
export interface Refusal {
  /** Such as `port 3f0e...`. */
  readonly owner: string;
  readonly reason: string;
}

/** Collects omitted values, while the others are processed. */
export class Refusals {
  readonly list: Refusal[] = [];

  note(owner: string, reason: string): void {
    this.list.push({ owner, reason });
  }

  /** Returns the result of `make`, or `otherwise` when it throws Refused, which is noted. */
  keep<T, U>(owner: string, make: () => T, otherwise: U): T | U {
    try {
      return make();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.note(owner, error.message);
      return otherwise;
    }
  }
}
