import { existsSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import { nothingOf, type OptionKind } from './option.ts';
import type { OptionValue } from './options.ts';
import { ConfigError } from './parse.ts';

/** Where paths are looked up. */
export interface Surroundings {
  /** The configuration files; without any, explicit paths are relative to the working directory. */
  readonly files: readonly string[];
  /** The option and the source of its value, for the error: `[oslo_policy] policy_file (neutron.conf:3)`. */
  readonly owner: string;
  /** The operator has set the option. */
  readonly explicit: boolean;
}

/**
 * Returns the absolute paths of an option that is looked up. As in oslo.config, later configuration files count first. Throws
 * ConfigError for an explicit path that does not exist.
 */
export function lookUp(type: OptionKind, value: OptionValue, surroundings: Surroundings): OptionValue {
  const { explicit } = surroundings;
  if (type.kind === 'list') return (value as readonly string[]).flatMap((path) => found(path, surroundings) ?? []);
  if (value === '' || type.kind !== 'string') return nothingOf(type);
  const names = explicit ? [value as string] : (type.lookup ?? []);
  for (const name of names) {
    const path = found(name, surroundings);
    if (path !== undefined) return path;
  }
  return nothingOf(type);
}

function found(path: string, { files, owner, explicit }: Surroundings): string | undefined {
  const folders = [...new Set(files.map((file) => dirname(resolve(file))).reverse())];
  const candidates = isAbsolute(path)
    ? [path]
    : folders.length === 0 && explicit
      ? [resolve(path)]
      : folders.map((folder) => resolve(folder, path));
  const existing = candidates.find((candidate) => existsSync(candidate));
  if (existing === undefined && explicit) throw new ConfigError(`${owner}: ${candidates.join(' and ')}: no such file`);
  return existing;
}
