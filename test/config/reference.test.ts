import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { allOptions } from '../../src/config/options.ts';
import { renderFlags, renderReference } from '../../src/config/reference.ts';

describe('docs/configuration.md', () => {
  it('is what `bin/neutrino config reference` prints', () => {
    expect(readFileSync('docs/configuration.md', 'utf8')).toBe(renderReference());
  });

  it('has a row for every option and nothing of the machine it was made on', () => {
    const text = renderReference();
    for (const { name } of allOptions()) expect(text).toContain(`| \`${name}\` |`);
    expect(text).toContain("| `host` | this machine's host name |");
    expect(text).toContain('| `state_path` | /var/lib/neutrino; without root ~/.local/state/neutrino |');
  });
});

describe('options', () => {
  it('are each read by a source file; those that nothing reads belong to the names in neutron-options.ts', () => {
    const sources = readdirSync('src', { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => !/config\/(options|neutron-options|reference)\.ts$/.test(path))
      .map((path) => readFileSync(path, 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, ''))
      .join('\n');
    // `config.DEFAULT.host`, `const { host: name } = config.DEFAULT`, or the name as a text.
    const isRead = (name: string) => new RegExp(`\\.${name}\\b|[{,]\\s*${name}\\s*[:,}=]|'${name}'`).test(sources);
    const unread = allOptions().filter(({ name }) => !isRead(name));
    expect(unread.map(({ section, name }) => `[${section}] ${name}`)).toEqual([]);
  });
});

describe('README.md', () => {
  it('has the table of flags as it is made from the options', () => {
    const readme = readFileSync('README.md', 'utf8');
    const table = /<!-- options: .*-->\n([\s\S]*?)<!-- end of options -->/.exec(readme)?.[1];
    expect(table).toBe(renderFlags());
  });
});
