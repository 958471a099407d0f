import { CONFIG_FLAGS } from './flags.ts';
import {
  allOptions,
  findOption,
  type Option,
  type OptionKind,
  type OptionValue,
  type PlacedOption,
} from './options.ts';

/** The reference of all options as Markdown, one table a section; docs/configuration.md is this text. */
export function renderReference(): string {
  const sections = [...new Set(allOptions().map(({ section }) => section))];
  const tables = sections.flatMap((section) => [
    `## [${section}]`,
    '',
    '| option | default | values | what it does |',
    '|---|---|---|---|',
    ...allOptions()
      .filter((placed) => placed.section === section)
      .map(row),
    '',
  ]);
  return [
    '# Configuration',
    '',
    "Options carry Neutron's names and sections. They come, the later one winning, from the defaults, from INI files",
    '(`--config-file FILE`, repeatable), from the environment (`OS_<SECTION>__<NAME>`, such as `OS_DEFAULT__BIND_PORT=9700`)',
    `and from flags (${CONFIG_FLAGS.map(({ flag }) => `\`${flag}\``).join(', ')}).`,
    `A value may refer to another option: \`$state_path\`, \`\${agent.availability_zone}\`; \`$$\` is a dollar sign.`,
    '`bin/neutrino config show` prints the values in force and where each comes from. An option that only Neutron has is',
    'named in a warning at start and has no effect; a value that cannot be is refused.',
    '',
    'Made by `bin/neutrino config reference` from the table in `src/config/options.ts`.',
    '',
    ...tables,
  ].join('\n');
}

/** The flags of `up` as a Markdown table; the README has this text. */
export function renderFlags(): string {
  const rows = CONFIG_FLAGS.map(({ flag, argument, section, name }) => {
    const option = findOption(section, name)?.option;
    return `| \`${flag} ${argument}\` | ${option ? codeDefault(option) : ''} | ${cell(option?.help ?? '')} |`;
  });
  return [
    '| flag | default | what it does |',
    '|---|---|---|',
    ...rows,
    '| `--config-file FILE` | none | INI file with options as in `neutron.conf`; may be repeated, the later one wins |',
    '| `--no-agents` | agents run | the API alone, without DHCP and L2 agent |',
    '| `--rename-host` | refused | the host had another name at the last start: moves its agents and ports to the new one |',
    '',
  ].join('\n');
}

/** The default as text for readers, `empty` when it is. */
export function shownDefault(option: Option<OptionValue>): string {
  if (option.shownDefault !== undefined) return option.shownDefault;
  const text = Array.isArray(option.default) ? option.default.join(',') : String(option.default);
  return text === '' ? 'empty' : text;
}

function codeDefault(option: Option<OptionValue>): string {
  const text = shownDefault(option);
  return option.shownDefault !== undefined || text === 'empty' ? text : `\`${text}\``;
}

function row({ name, option }: PlacedOption): string {
  return `| \`${name}\` | ${codeDefault(option)} | ${cell(values(option.type))} | ${cell(option.help)} |`;
}

const cell = (text: string) => text.replaceAll('|', '\\|');

function values(type: OptionKind): string {
  switch (type.kind) {
    case 'integer':
    case 'float': {
      const noun = type.kind === 'integer' ? 'whole number' : 'number';
      if (type.min !== undefined && type.max !== undefined) return `${noun}, ${type.min} to ${type.max}`;
      return type.min === undefined ? noun : `${noun}, at least ${type.min}`;
    }
    case 'boolean':
      return '`true`, `false`';
    case 'list':
      return type.hint ? `list of ${type.hint}` : 'list';
    case 'string':
      if (type.choices)
        return [...type.choices, ...Object.keys(type.aliases ?? {})].map((one) => `\`${one}\``).join(', ');
      return type.hint ?? (type.path ? 'path' : 'text');
  }
}
