import { expect, test } from 'vitest';
import { parseArguments, UsageError } from '../../bench/arguments.ts';

const SECTIONS = ['ports', 'scale', 'list'];

test('nothing said means all sections at full length', () => {
  expect(parseArguments([], SECTIONS)).toEqual({
    only: SECTIONS,
    quick: false,
    out: undefined,
    folder: undefined,
    help: false,
  });
});

test('sections are chosen by name, once or several times, and keep their order', () => {
  expect(parseArguments(['--only', 'list,ports'], SECTIONS).only).toEqual(['ports', 'list']);
  expect(parseArguments(['--only', 'list', '--only', 'scale'], SECTIONS).only).toEqual(['scale', 'list']);
});

test('files and length are taken as given', () => {
  expect(parseArguments(['--quick', '--out', 'x.json', '--folder', '/srv'], SECTIONS)).toMatchObject({
    quick: true,
    out: 'x.json',
    folder: '/srv',
  });
});

test('a section or an option that there is not is refused by name', () => {
  expect(() => parseArguments(['--only', 'prots'], SECTIONS)).toThrow(
    new UsageError("--only: there is no section 'prots'; there are ports, scale, list"),
  );
  expect(() => parseArguments(['--quik'], SECTIONS)).toThrow(UsageError);
});
