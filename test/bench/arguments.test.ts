import { expect, test } from 'vitest';
import { parseArguments, UsageError } from '../../bench/arguments.ts';

const SECTIONS = ['ports', 'scale', 'list'];

test('without arguments, all sections run at full length', () => {
  expect(parseArguments([], SECTIONS)).toEqual({
    only: SECTIONS,
    quick: false,
    out: undefined,
    folder: undefined,
    help: false,
  });
});

test('sections are selected by name, once or repeatedly, and keep their order', () => {
  expect(parseArguments(['--only', 'list,ports'], SECTIONS).only).toEqual(['ports', 'list']);
  expect(parseArguments(['--only', 'list', '--only', 'scale'], SECTIONS).only).toEqual(['scale', 'list']);
});

test('files and length are set by flags', () => {
  expect(parseArguments(['--quick', '--out', 'x.json', '--folder', '/srv'], SECTIONS)).toMatchObject({
    quick: true,
    out: 'x.json',
    folder: '/srv',
  });
});

test('an unknown section or option is rejected and named', () => {
  expect(() => parseArguments(['--only', 'prots'], SECTIONS)).toThrow(
    new UsageError("--only: there is no section 'prots'; there are ports, scale, list"),
  );
  expect(() => parseArguments(['--quik'], SECTIONS)).toThrow(UsageError);
});
