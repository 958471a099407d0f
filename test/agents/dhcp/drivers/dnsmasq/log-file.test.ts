import { appendFile, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { boundLog, sizeOf, waitUntilRead } from '../../../../../src/agents/dhcp/drivers/dnsmasq/log-file.ts';

let folder: string;
let log: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'neutrino-log-'));
  log = join(folder, 'log');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const prefix = 'Nov 21 23:31:20 dnsmasq-dhcp[11506]: ';
const busy = { isRunning: () => true, isIdle: () => false };
const resting = { ...busy, isIdle: () => true };

describe('waiting for word that a file was read', () => {
  test('takes only what is logged from the given place on, in whole lines, even when written in pieces', async () => {
    await writeFile(log, `${prefix}read /x/opts\n`);
    let done = false;
    const waiting = waitUntilRead(log, sizeOf(log), '/x/opts', busy, 10_000).then(() => {
      done = true;
    });
    await appendFile(log, `${prefix}read /x/opts2\n${prefix}read /x/op`);
    expect(done).toBe(false);
    await appendFile(log, 'ts\n');
    await waiting;
  });

  test('knows the form with a count of names', async () => {
    await writeFile(log, `${prefix}read /x/addn_hosts - 2 names\n`);
    expect(await waitUntilRead(log, 0, '/x/addn_hosts', busy, 10_000)).toBe(true);
  });

  test('finds its file among megabytes of other lines', async () => {
    await writeFile(log, `${`${prefix}DHCPDISCOVER(tap) fa:16:3e:00:00:01\n`.repeat(50_000)}${prefix}read /x/opts\n`);
    await waitUntilRead(log, 0, '/x/opts', busy, 10_000);
  });

  test('a file that dnsmasq cannot read is an error that says so', async () => {
    await writeFile(log, `${prefix}cannot read /x/host: Permission denied\n`);
    await expect(waitUntilRead(log, 0, '/x/opts', busy, 10_000)).rejects.toThrow(
      'cannot read /x/host: Permission denied',
    );
  });

  test('a dnsmasq that ends, and time that runs out, are errors that name what was waited for', async () => {
    await expect(waitUntilRead(log, 0, '/x/opts', { ...busy, isRunning: () => false }, 10_000)).rejects.toThrow(
      /ended while .*\/x\/opts/,
    );
    await expect(waitUntilRead(log, 0, '/x/opts', busy, 20)).rejects.toThrow(/waited 20 ms for .* reading \/x\/opts/);
  });

  test('a log that does not grow, of a dnsmasq that rests, is word enough; other lines are not', async () => {
    await writeFile(log, 'x');
    expect(await waitUntilRead(log, 1, '/x/opts', resting, 10_000)).toBe(false);
    expect(await waitUntilRead(join(folder, 'none'), 0, '/x/opts', resting, 10_000)).toBe(false);
    await expect(waitUntilRead(log, 0, '/x/opts', resting, 2_000)).rejects.toThrow(/waited 2000 ms for/);
  });

  test('a log that was emptied meanwhile is read from its beginning', async () => {
    await writeFile(log, 'x'.repeat(10_000));
    const waiting = waitUntilRead(log, 10_000, '/x/opts', busy, 10_000);
    await truncate(log, 0);
    await appendFile(log, `${prefix}read /x/opts\n`);
    await waiting;
  });
});

describe('the log stays short', () => {
  test('what is too long becomes log.1, and the log itself the same file, empty', async () => {
    await writeFile(log, 'a'.repeat(100));
    const { ino } = await stat(log);
    boundLog(log, 100);
    expect(sizeOf(log)).toBe(100);
    await appendFile(log, 'b');
    boundLog(log, 100);
    expect((await stat(log)).ino).toBe(ino);
    expect(sizeOf(log)).toBe(0);
    expect(await readFile(`${log}.1`, 'utf8')).toBe(`${'a'.repeat(100)}b`);
  });

  test('no log is no error', () => boundLog(log, 100));
});
