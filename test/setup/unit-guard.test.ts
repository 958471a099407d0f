import { fork, spawn } from 'node:child_process';
import { expect, test } from 'vitest';
import { run } from '../../src/linux/run.ts';

test('a unit test that starts a process fails with a hint to rename it', async () => {
  expect(() => spawn('true')).toThrow('name the test file *.system.test.ts');
  expect(() => fork('true')).toThrow('unit tests start no processes');
  await expect(run(['true'])).rejects.toThrow('unit tests start no processes');
});

test('a unit test that checks for root fails', () => {
  expect(() => process.getuid?.()).toThrow('unit tests need no root');
});
