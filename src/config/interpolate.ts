import { ConfigError } from './parse.ts';

const REFERENCE = /\$(?:\$|\{([A-Za-z0-9_.-]+)\}|([A-Za-z_][A-Za-z0-9_]*))/g;
const MAX_DEPTH = 8;

/**
 * Fills in what a value refers to: `$name` and `${name}` for options of [DEFAULT], `${section.name}` for others; `$$` is a
 * dollar sign. `rawText` gives the text of an option before it is filled in, or undefined when there is no such option.
 * `owner` names the option that is being filled in, for the errors. Throws ConfigError for unknown and for circular references.
 */
export function interpolate(
  text: string,
  owner: string,
  rawText: (section: string, name: string) => string | undefined,
  depth = 0,
): string {
  if (depth > MAX_DEPTH) throw new ConfigError(`${owner}: its value refers to itself: ${JSON.stringify(text)}`);
  return text.replace(REFERENCE, (whole, braced: string | undefined, bare: string | undefined) => {
    if (whole === '$$') return '$';
    const reference = braced ?? bare ?? '';
    const dot = reference.indexOf('.');
    const [section, name] = dot < 0 ? ['DEFAULT', reference] : [reference.slice(0, dot), reference.slice(dot + 1)];
    const found = rawText(section, name);
    if (found === undefined) {
      throw new ConfigError(
        `${owner} = ${JSON.stringify(text)}: ${whole} is no option that Neutrino has; write $$ for a dollar sign`,
      );
    }
    return interpolate(found, owner, rawText, depth + 1);
  });
}
