import { type Command, Option } from 'commander';
import { CONFIG_FLAGS } from '../../config/flags.ts';
import type { ConfigInputs, LoadedConfig } from '../../config/load.ts';
import type { ConfigReader } from '../../config/option.ts';
import { findOption } from '../../config/options.ts';
import { defaultText } from '../../config/reference.ts';

/** The options of a command, as parsed by commander. */
export type CommandOptions = Readonly<Record<string, unknown>>;

/** Parses an option that may be repeated. */
export const collect = (value: string, earlier: readonly string[] | undefined): readonly string[] => [
  ...(earlier ?? []),
  value,
];

/** Help text that names the sources of all other options; for `addHelpText`. */
export const MORE_OPTIONS = `
All other options come from --config-file or the environment (OS_<SECTION>__<NAME>): docs/configuration.md
`;

/** Help text that refers to the page on sites with several hosts; for `addHelpText`. */
export const STOCK_FILES = `
This command reads Neutron's own configuration files (--config-file neutron.conf ...); see docs/operating.md.
`;

const flagOptions = () =>
  CONFIG_FLAGS.map((one) => {
    const known = findOption(one.section, one.name)?.option;
    const help = known && `${known.help} (default: ${defaultText(known)})`;
    return { ...one, option: new Option(`${one.flag} <${one.argument}>`, help) };
  });

/** Adds the flags that set options to a command (default: all of CONFIG_FLAGS), and the repeatable `--config-file`. */
export function withConfigFlags(command: Command, flags?: readonly string[]): Command {
  for (const { flag, option } of flagOptions()) if (flags?.includes(flag) !== false) command.addOption(option);
  return command.addOption(
    new Option(
      '--config-file <FILE>',
      'INI file with options as in neutron.conf; may be repeated, later files override earlier ones',
    )
      .argParser(collect)
      .default([], 'none'),
  );
}

/** Returns a word in the notation of a shell, quoted if necessary. */
export const shellWord = (text: string): string =>
  /^[\w./:@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

/** Returns the flags with which another command finds the same state path, each preceded by a space. */
export function placeFlags({ files = [] }: ConfigInputs, { config, sources }: LoadedConfig): string {
  const { kind } = sources.get('DEFAULT.state_path') ?? { kind: 'default' };
  return [
    ...files.map((file) => ` --config-file ${shellWord(file)}`),
    ...(kind === 'flag' || kind === 'environment' ? [` --state-path ${shellWord(config.DEFAULT.state_path)}`] : []),
  ].join('');
}

/** Converts the options of a command built by `withConfigFlags` into the inputs of `loadConfig`. */
export function configInputs(options: CommandOptions, reader: ConfigReader = 'server'): ConfigInputs {
  const flags = flagOptions().flatMap(({ flag, option }) => {
    const text = options[option.attributeName()];
    return typeof text === 'string' ? [[flag, text] as const] : [];
  });
  const files = (options.configFile ?? []) as readonly string[];
  return { files, env: process.env, flags: Object.fromEntries(flags), reader };
}
