import { ConfigError } from './parse.ts';

/** One assignment of an INI file. `text` includes the continuation lines, joined by newlines. */
export interface IniEntry {
  readonly section: string;
  readonly name: string;
  readonly text: string;
  /** Line number of the name, starting at 1. */
  readonly line: number;
}

/**
 * Parses the INI format of oslo.config: `[section]`, `name = value` or `name: value`, whole-line comments with # or ;. Lines that
 * begin with a blank continue the value above, a blank line ends it, and quotes around a whole value are removed. Repeated names
 * are all returned, in order. `file` is used in errors. Throws ConfigError that names file and line.
 */
export function parseIni(source: string, file: string): readonly IniEntry[] {
  const entries: IniEntry[] = [];
  let section: string | undefined;
  let open: { name: string; lines: string[]; line: number } | undefined;
  const finish = () => {
    if (open && section !== undefined) {
      entries.push({ section, name: open.name, text: open.lines.join('\n'), line: open.line });
    }
    open = undefined;
  };

  const lines = source.replace(/^\uFEFF/, '').split(/\r?\n/);
  for (const [index, raw] of lines.entries()) {
    const line = raw.trimEnd();
    const refuse = (why: string) => new ConfigError(`${file}:${index + 1}: ${why}: ${JSON.stringify(line)}`);
    if (line === '') {
      finish();
    } else if (/^[ \t]/.test(line)) {
      if (!open) throw refuse('an indented line continues the value above, but there is no value to continue');
      open.lines.push(line.trim());
    } else if (line.startsWith('#') || line.startsWith(';')) {
      finish();
    } else if (line.startsWith('[')) {
      finish();
      const name = /^\[([^\]]+)\]$/.exec(line)?.[1]?.trim();
      if (!name) throw refuse('a section must be written as [name]');
      section = name;
    } else {
      finish();
      const parts = /^([^=:]*?)\s*[=:]\s*(.*)$/.exec(line);
      if (!parts) throw refuse('expected name = value');
      const [, name = '', value = ''] = parts;
      if (name === '') throw refuse('a name is missing before the = sign');
      if (section === undefined) throw refuse('a section such as [DEFAULT] must come first');
      open = { name, lines: [withoutQuotes(value)], line: index + 1 };
    }
  }
  finish();
  return entries;
}

function withoutQuotes(value: string): string {
  const quoted = value.length > 1 && value[0] === value.at(-1) && (value.startsWith('"') || value.startsWith("'"));
  return quoted ? value.slice(1, -1) : value;
}
