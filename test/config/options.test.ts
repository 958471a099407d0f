import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isNeutronOption } from '../../src/config/neutron-options.ts';
import { allOptions } from '../../src/config/options.ts';

/** The sources that use options, without comments; src/config handles all of them alike. */
const sources = readdirSync('src', { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && entry.parentPath !== join('src', 'config'))
  .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, ''))
  .join('\n');

/**
 * Whether a name occurs as code reads an option: `config.DEFAULT.name`, `const { name } = ...`, `({ name }: Options) =>`, or
 * `'name'` as a key that the compiler checks.
 */
const isRead = (name: string) =>
  new RegExp(`\\.${name}\\b|[{,]\\s*${name}\\b[^{}]*\\}\\s*(=[^=>]|:)|'${name}'`).test(sources);

describe('options', () => {
  it('are all used: options without effect belong in neutron-options.ts', () => {
    expect(isRead('no_such_option')).toBe(false);
    expect(
      allOptions()
        .filter(({ name }) => !isRead(name))
        .map(({ section, name }) => `[${section}] ${name}`),
    ).toEqual([]);
  });

  it('are either supported or named as without effect, not both', () => {
    expect(
      allOptions()
        .filter(({ section, name }) => isNeutronOption(section, name))
        .map(({ section, name }) => `[${section}] ${name}`),
    ).toEqual([]);
  });
});
