import { parseArgs } from 'node:util';

export interface BenchArguments {
  /** Names of the selected sections, in the order of `SECTIONS`; default: all. */
  readonly only: readonly string[];
  readonly quick: boolean;
  /** Path of the JSON file; default: bench/results/<date>.json. */
  readonly out: string | undefined;
  /** Folder on the disk to measure; default: the system's temporary folder. */
  readonly folder: string | undefined;
  readonly help: boolean;
}

/** Invalid arguments; the message names them and what is expected. */
export class UsageError extends Error {}

/** Parses the command line of `npm run bench`. Throws UsageError. */
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
