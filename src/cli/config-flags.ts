import { type Command, Option } from 'commander';
import { CONFIG_FLAGS } from '../config/flags.ts';
import type { ConfigInputs } from '../config/load.ts';
import { type ConfigReader, findOption } from '../config/options.ts';
import { shownDefault } from '../config/reference.ts';

const flagOptions = () =>
  CONFIG_FLAGS.map((one) => {
    const known = findOption(one.section, one.name)?.option;
    const help = known && `${known.help} (default: ${shownDefault(known)})`;
    return { ...one, option: new Option(`${one.flag} <${one.argument}>`, help) };
  });

/** Adds the flags that set options (`--bind-port` ...; those that it looks at) and the repeatable `--config-file` to a command. */
export function withConfigFlags(command: Command, flags?: readonly string[]): Command {
  for (const { flag, option } of flagOptions()) if (flags?.includes(flag) !== false) command.addOption(option);
  return command.addOption(
    new Option('--config-file <FILE>', 'INI file with options as in neutron.conf; may be repeated, the later one wins')
      .argParser((file: string, earlier: readonly string[]) => [...earlier, file])
      .default([], 'none'),
  );
}

/** What `loadConfig` needs, out of the options that commander has read for a command made by `withConfigFlags`. */
export function configInputs(
  options: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string | undefined>>,
  reader: ConfigReader = 'server',
): ConfigInputs {
  const flags = flagOptions().flatMap(({ flag, option }) => {
    const text = options[option.attributeName()];
    return typeof text === 'string' ? [[flag, text] as const] : [];
  });
  return { files: (options.configFile ?? []) as readonly string[], env, flags: Object.fromEntries(flags), reader };
}
