import { describe, expect, test } from 'vitest';
import { iniText, mergeIni } from './ini.ts';

describe('INI files of tests', () => {
  test('have sections, and options of later files override earlier ones', () => {
    const merged = mergeIni(
      { DEFAULT: { host: 'one', debug: true }, agent: { report_interval: 4 } },
      { DEFAULT: { host: 'two' } },
    );
    expect(iniText(merged)).toBe('[DEFAULT]\nhost = two\ndebug = true\n\n[agent]\nreport_interval = 4\n');
  });
});
