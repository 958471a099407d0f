import { ConfigError } from './parse.ts';

const REFERENCE = /\$(?:\$|\{([A-Za-z0-9_.-]+)\}|([A-Za-z_][A-Za-z0-9_]*))/g;
const MAX_DEPTH = 8;

/**
 * Resolves references in a value: `$name` and `${name}` for options of [DEFAULT], `${section.name}` for others; `$$` is a
 * dollar sign. `rawText` returns the uninterpolated text of an option, or undefined if there is no such option.
 * `owner`: the option being interpolated, for errors. Throws ConfigError for unknown and for circular references.
 */
export function interpolate(
  text: string,
  owner: string,
  rawText: (section: string, name: string) => string | undefined,
  depth = 0,
): string {
  if (depth > MAX_DEPTH) throw new ConfigError(`${owner}: the value refers to itself: ${JSON.stringify(text)}`);
  return text.replace(REFERENCE, (whole, braced: string | undefined, bare: string | undefined) => {
    if (whole === '$$') return '$';
    const reference = braced ?? bare ?? '';
    const dot = reference.indexOf('.');
    const [section, name] = dot < 0 ? ['DEFAULT', reference] : [reference.slice(0, dot), reference.slice(dot + 1)];
    const found = rawText(section, name);
    if (found === undefined) {
      throw new ConfigError(
        `${owner} = ${JSON.stringify(text)}: ${whole} is not an option of Neutrino; write $$ for a dollar sign`,
      );
    }
    return interpolate(found, owner, rawText, depth + 1);
  });
}
