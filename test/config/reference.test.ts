import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { allOptions } from '../../src/config/options.ts';
import { renderFlags, renderReference } from '../../src/config/reference.ts';

describe('docs/configuration.md', () => {
  it('is the output of `bin/neutrino config reference`', () => {
    expect(readFileSync('docs/configuration.md', 'utf8')).toBe(renderReference());
  });

  it('has a row for every option, and no values of this machine', () => {
    const text = renderReference();
    for (const { name } of allOptions()) expect(text).toContain(`| \`${name}\` |`);
    expect(text).toContain("| `host` | this machine's host name |");
    expect(text).toContain('| `state_path` | /var/lib/neutrino; without root ~/.local/state/neutrino |');
  });
});

describe('README.md', () => {
  it('has the table of flags generated from the options', () => {
    const readme = readFileSync('README.md', 'utf8');
    const table = /<!-- options: .*-->\n([\s\S]*?)<!-- end of options -->/.exec(readme)?.[1];
    expect(table).toBe(renderFlags());
  });
});
