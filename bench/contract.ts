import type { Spread } from './spread.ts';

/** Something measured, in every round. */
export interface Figure {
  readonly what: string;
  /** `/s`, `ms`, ... */
  readonly unit: string;
  /** One value a round. */
  readonly rounds: readonly number[];
  /** What it is to be read with (latencies, sizes); one line. */
  readonly note?: string;
}

/** One figure beside another of the same run; what travels from machine to machine. */
export interface Ratio {
  readonly what: string;
  readonly rounds: readonly number[];
  /** The median is to be at least, or at most, this. */
  readonly goal?: { readonly least: number } | { readonly most: number };
}

export interface SectionResult {
  readonly figures: readonly Figure[];
  readonly ratios: readonly Ratio[];
}

/** What a section is given. Everything it starts it MUST end, also when it throws. */
export interface World {
  /** Fewer and shorter rounds: to see that everything runs, not to quote. */
  readonly quick: boolean;
  /** A folder of this run's own on the disk that is measured; removed afterwards. */
  readonly folder: string;
  /** Tells who watches what happens now. */
  progress(text: string): void;
}

/** A group of measurements that belong together; `--only` chooses by name. */
export interface Section {
  readonly name: string;
  readonly title: string;
  /** Why it cannot run here; undefined when it can. */
  obstacle?(): string | undefined | Promise<string | undefined>;
  run(world: World): Promise<SectionResult>;
}

/** What is written to keep. */
export interface Report {
  readonly machine: Readonly<Record<string, string | number>>;
  readonly started_at: string;
  readonly quick: boolean;
  readonly sections: readonly {
    readonly name: string;
    readonly title: string;
    readonly seconds: number;
    /** Why it was not measured. */
    readonly skipped?: string;
    readonly figures: readonly (Figure & Spread)[];
    readonly ratios: readonly (Ratio & Spread & { readonly reached?: boolean })[];
  }[];
}
