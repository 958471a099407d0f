import type { Spread } from './spread.ts';

/** A quantity measured in every round. */
export interface Figure {
  readonly what: string;
  /** `/s`, `ms`, ... */
  readonly unit: string;
  /** One value per round. */
  readonly rounds: readonly number[];
  /** One line that helps to interpret it (latencies, sizes). */
  readonly note?: string;
}

/** A figure compared with another of the same run, which makes it comparable between machines. */
export interface Ratio {
  readonly what: string;
  readonly rounds: readonly number[];
  /** Lower or upper limit of the median. */
  readonly goal?: { readonly least: number } | { readonly most: number };
}

export interface SectionResult {
  readonly figures: readonly Figure[];
  readonly ratios: readonly Ratio[];
}

/** The environment of a section, which MUST stop everything that it starts, even if it throws. */
export interface World {
  /** Fewer and shorter rounds, which only check that everything runs. */
  readonly quick: boolean;
  /** A temporary folder on the measured disk. */
  readonly folder: string;
  /** Reports progress to the user. */
  progress(text: string): void;
}

/** A group of related measurements; `--only` selects them by name. */
export interface Section {
  readonly name: string;
  readonly title: string;
  /** Returns why it cannot run here; undefined if it can. */
  obstacle?(): string | undefined | Promise<string | undefined>;
  run(world: World): Promise<SectionResult>;
}

/** The result of a run, as written to the JSON file. */
export interface Report {
  readonly machine: Readonly<Record<string, string | number>>;
  readonly started_at: string;
  readonly quick: boolean;
  readonly sections: readonly {
    readonly name: string;
    readonly title: string;
    readonly seconds: number;
    /** The reason why it was not measured. */
    readonly skipped?: string;
    readonly figures: readonly (Figure & Spread)[];
    readonly ratios: readonly (Ratio & Spread & { readonly reached?: boolean })[];
  }[];
}
