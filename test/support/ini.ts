/** Sections of an INI file: `{ DEFAULT: { host: 'a' } }`. */
export type Ini = Readonly<Record<string, Readonly<Record<string, string | number | boolean>>>>;

/** Formats an INI file for oslo.config. */
export function iniText(ini: Ini): string {
  const sections = Object.entries(ini).map(([section, options]) => {
    const lines = Object.entries(options).map(([name, value]) => `${name} = ${value}\n`);
    return `[${section}]\n${lines.join('')}`;
  });
  return sections.join('\n');
}

/** Merges files: options of later ones override earlier ones. */
export function mergeIni(...all: readonly Ini[]): Ini {
  const merged: Record<string, Record<string, string | number | boolean>> = {};
  for (const ini of all) {
    for (const [section, options] of Object.entries(ini)) merged[section] = { ...merged[section], ...options };
  }
  return merged;
}
