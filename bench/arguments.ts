import { parseArgs } from 'node:util';

export interface BenchArguments {
  /** Names of sections, in the order of the sections; all when none are chosen. */
  readonly only: readonly string[];
  readonly quick: boolean;
  /** File for the JSON; undefined: bench/results/<date>.json. */
  readonly out: string | undefined;
  /** Folder on the disk to measure; undefined: the system's temporary folder. */
  readonly folder: string | undefined;
  readonly help: boolean;
}

/** Wrong arguments; the message says which, and what would be right. */
export class UsageError extends Error {}

/** Reads the command line of `npm run bench`. Throws UsageError. */
export function parseArguments(argv: readonly string[], sections: readonly string[]): BenchArguments {
  let values: ReturnType<typeof parse>;
  try {
    values = parse(argv);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  const wanted = (values.only ?? []).flatMap((names) => names.split(',')).map((name) => name.trim());
  const unknown = wanted.find((name) => !sections.includes(name));
  if (unknown !== undefined)
    throw new UsageError(`--only: there is no section '${unknown}'; there are ${sections.join(', ')}`);
  return {
    only: sections.filter((name) => wanted.length === 0 || wanted.includes(name)),
    quick: values.quick ?? false,
    out: values.out,
    folder: values.folder,
    help: values.help ?? false,
  };
}

function parse(argv: readonly string[]) {
  return parseArgs({
    args: [...argv],
    options: {
      only: { type: 'string', multiple: true },
      quick: { type: 'boolean' },
      out: { type: 'string' },
      folder: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  }).values;
}
