import { readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { CONFIG_FLAGS } from './flags.ts';
import { parseIni } from './ini.ts';
import { interpolate } from './interpolate.ts';
import { lookUp } from './lookup.ts';
import { isNeutronOption, nearestOption } from './neutron-options.ts';
import type { ConfigReader, Option } from './option.ts';
import { allOptions, buildConfig, type Config, findOption, type OptionValue } from './options.ts';
import { ConfigError, parseOption } from './parse.ts';

/** The source of a value, as printed by `config show`. */
type ValueSource =
  | { readonly kind: 'default' }
  | { readonly kind: 'file'; readonly file: string; readonly line: number }
  | { readonly kind: 'environment'; readonly variable: string }
  | { readonly kind: 'flag'; readonly flag: string };

export interface ConfigInputs {
  /** Paths of INI files; later files override earlier ones. */
  readonly files?: readonly string[];
  /** Environment; as in oslo.config, variables `OS_<SECTION>__<NAME>` (OS_DEFAULT__BIND_PORT) set options. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Text by flag of CONFIG_FLAGS, `{ '--bind-port': '9700' }`. */
  readonly flags?: Readonly<Record<string, string>>;
  /** The reading process; default: a server. Options that only other processes read keep their defaults. */
  readonly reader?: ConfigReader;
}

export interface LoadedConfig {
  readonly config: Config;
  /** By `section.name`. */
  readonly sources: ReadonlyMap<string, ValueSource>;
  /** Sentences for the operator about settings that have no effect. */
  readonly warnings: readonly string[];
}

interface Assignment {
  readonly section: string;
  readonly name: string;
  readonly text: string;
  readonly source: ValueSource;
}

const ENVIRONMENT_NAME = /^OS_([A-Za-z0-9_]+?)__([A-Za-z0-9_]+)$/;
const UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EISDIR: 'is a folder, not a file',
};
const MAX_FILE_BYTES = 4 * 1024 * 1024;

/**
 * Returns the effective configuration: defaults, then files in their order, then the environment, then flags; later sources
 * override earlier ones. Throws ConfigError for a file that cannot be read or parsed, and one ConfigError with a line for every
 * value that is invalid or refers to an unknown option.
 */
export function loadConfig(inputs: ConfigInputs): LoadedConfig {
  const assignments = [
    ...(inputs.files ?? []).flatMap(assignmentsOfFile),
    ...assignmentsOfEnvironment(inputs.env ?? {}),
    ...assignmentsOfFlags(inputs.flags ?? {}),
  ];
  const winners = new Map<string, Assignment>();
  const unused: Assignment[] = [];
  for (const assignment of assignments) {
    const placed = findOption(assignment.section, assignment.name);
    if (placed) winners.set(`${placed.section}.${placed.name}`, assignment);
    else unused.push(assignment);
  }

  const rawText = (section: string, name: string) => {
    const placed = findOption(section, name);
    return placed && (winners.get(`${placed.section}.${placed.name}`)?.text ?? textOfDefault(placed.option));
  };
  const sources = new Map<string, ValueSource>();
  const problems: string[] = [];
  const config = buildConfig(({ section, name, option }) => {
    const isRead = option.readBy === undefined || option.readBy === (inputs.reader ?? 'server');
    const winner = isRead ? winners.get(`${section}.${name}`) : undefined;
    sources.set(`${section}.${name}`, winner?.source ?? { kind: 'default' });
    const looked = 'lookup' in option.type;
    if (!winner && !looked && !(typeof option.default === 'string' && option.default.includes('$')))
      return option.default;
    const where = winner && describeSource(winner.source);
    const owner = `[${section}] ${name}${where ? ` (${where})` : ''}`;
    try {
      const text = interpolate(winner?.text ?? textOfDefault(option), owner, rawText);
      const value = parseOption(section, name, text, where);
      const surroundings = { files: isRead ? (inputs.files ?? []) : [], owner, explicit: winner !== undefined };
      return looked ? lookUp(option.type, value, surroundings) : value;
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(error.message);
      return option.default;
    }
  });
  if (problems.length > 0) throw new ConfigError(problems.join('\n'));
  return { config, sources, warnings: warningsAbout(unused) };
}

/** Returns the source as text: `default`, `neutron.conf:12`, `environment OS_DEFAULT__DEBUG`, `--bind-port`. */
function describeSource(source: ValueSource): string {
  switch (source.kind) {
    case 'default':
      return 'default';
    case 'file':
      return `${source.file}:${source.line}`;
    case 'environment':
      return `environment ${source.variable}`;
    case 'flag':
      return source.flag;
  }
}

function textOfDefault(option: Option<OptionValue>): string {
  return Array.isArray(option.default) ? option.default.join(',') : String(option.default);
}

function assignmentsOfFile(file: string): readonly Assignment[] {
  let source: string;
  try {
    source = readFileSync(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const why = (code && UNREADABLE[code]) ?? String(error);
    throw new ConfigError(`--config-file ${resolve(file)}: ${why}`);
  }
  if (source.length > MAX_FILE_BYTES)
    throw new ConfigError(`--config-file ${file}: larger than ${MAX_FILE_BYTES} bytes`);
  return parseIni(source, file).map(({ section, name, text, line }) => ({
    section,
    name,
    text,
    source: { kind: 'file', file, line },
  }));
}

function assignmentsOfEnvironment(env: Readonly<Record<string, string | undefined>>): readonly Assignment[] {
  return Object.entries(env).flatMap(([variable, text]) => {
    const parts = ENVIRONMENT_NAME.exec(variable);
    if (!parts || text === undefined) return [];
    const [, section = '', name = ''] = parts;
    const placed = section.toUpperCase() === 'DEFAULT' ? 'DEFAULT' : section.toLowerCase();
    return [{ section: placed, name: name.toLowerCase(), text, source: { kind: 'environment', variable } as const }];
  });
}

function assignmentsOfFlags(flags: Readonly<Record<string, string>>): readonly Assignment[] {
  return Object.entries(flags).map(([flag, text]) => {
    const known = CONFIG_FLAGS.find((one) => one.flag === flag);
    if (!known)
      throw new ConfigError(`${flag}: no such flag; available: ${CONFIG_FLAGS.map((one) => one.flag).join(' ')}`);
    return { section: known.section, name: known.name, text, source: { kind: 'flag', flag } as const };
  });
}

/** Returns one sentence per source with options that only Neutron supports, and one per unknown option. */
function warningsAbout(unused: readonly Assignment[]): readonly string[] {
  const neutrons = new Map<string, string[]>();
  const unknown: string[] = [];
  for (const { section, name, source } of unused) {
    if (isNeutronOption(section, name)) {
      const place = source.kind === 'file' ? basename(source.file) : 'environment';
      neutrons.set(place, [...(neutrons.get(place) ?? []), `[${section}] ${name}`]);
    } else {
      const near = nearestOption(section, name);
      const advice = near ? `; did you mean [${near.section}] ${near.name}?` : '';
      unknown.push(`${describeSource(source)}: [${section}] ${name}: no such option${advice}`);
    }
  }
  const notUsed = [...neutrons].map(
    ([place, names]) => `${place}: Neutron options without effect in Neutrino: ${[...new Set(names)].join(', ')}`,
  );
  return [...notUsed, ...unknown];
}

/** Returns all options with value (secrets hidden) and source, in the order of the table. */
export function explainConfig(loaded: LoadedConfig): readonly {
  readonly section: string;
  readonly name: string;
  readonly value: OptionValue;
  readonly source: string;
}[] {
  const values = loaded.config as Readonly<Record<string, Readonly<Record<string, OptionValue>>>>;
  return allOptions().map(({ section, name, option }) => ({
    section,
    name,
    value: option.secret && values[section]?.[name] !== '' ? '***' : (values[section]?.[name] ?? ''),
    source: describeSource(loaded.sources.get(`${section}.${name}`) ?? { kind: 'default' }),
  }));
}
