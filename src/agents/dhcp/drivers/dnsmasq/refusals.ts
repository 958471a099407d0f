import { Refused } from './fields.ts';

/** A value that was left out since dnsmasq cannot be told it: whose it is and why. */
export interface Refusal {
  /** Such as `port 3f0e...`. */
  readonly owner: string;
  readonly reason: string;
}

/** Collects what is refused while the rest goes on. */
export class Refusals {
  readonly list: Refusal[] = [];

  note(owner: string, reason: string): void {
    this.list.push({ owner, reason });
  }

  /** What `make` gives, or `otherwise` when it throws Refused, which is kept. */
  keep<T, U>(owner: string, make: () => T, otherwise: U): T | U {
    try {
      return make();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.list.push({ owner, reason: error.message });
      return otherwise;
    }
  }
}
