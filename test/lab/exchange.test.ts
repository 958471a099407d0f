import { appendFile, mkdir, mkdtemp, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseExchangeLine } from '../../src/agents/dhcp/drivers/dnsmasq/exchange-line.ts';
import { followFile } from '../../src/lab/follow.ts';
import { watchExchange } from '../../src/lab/watch-exchange.ts';
import { waitFor } from '../../src/time/wait.ts';

describe('following a log', () => {
  let folder: string;
  let log: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'neutrino-follow-'));
    log = join(folder, 'log');
  });
  afterEach(() => rm(folder, { recursive: true }));

  const until = (lines: readonly string[], count: number) =>
    waitFor(`${count} lines`, async () => (lines.length >= count ? true : undefined), { timeoutMs: 10_000 });

  test('reports whole new lines, even if the file is truncated or replaced', async () => {
    await writeFile(log, 'before\n');
    const lines: string[] = [];
    const following = await followFile(log, (line) => lines.push(line));
    await appendFile(log, 'one\ntw');
    await until(lines, 1);
    await appendFile(log, 'o\n');
    await until(lines, 2);
    await truncate(log);
    await appendFile(log, 'x\n');
    await until(lines, 3);
    await appendFile(log, 'late\n');
    await rename(log, `${log}.1`);
    await writeFile(log, 'new\n');
    await until(lines, 5);
    await appendFile(log, 'last\nunfinished');
    await following.stop();
    expect(lines).toEqual(['one', 'two', 'x', 'late', 'new', 'last']);
  });

  test('waits for a log whose file and folder do not exist yet', async () => {
    const lines: string[] = [];
    const following = await followFile(join(folder, 'later', 'log'), (line) => lines.push(line));
    await mkdir(join(folder, 'later'));
    await writeFile(join(folder, 'later', 'log'), 'first\n');
    await until(lines, 1);
    await following.stop();
    expect(lines).toEqual(['first']);
  });

  test('reports the messages of its own NICs, each from the log of its network', async () => {
    const mac = 'fa:16:3e:00:00:01';
    const line = (kind: string, of: string) => `Nov  2 23:08:01 dnsmasq-dhcp[1]: DHCP${kind}(tap) 10.0.0.5 ${of} \n`;
    const nics = [{ name: 'eth0', mac, networkId: 'a' }];
    await writeFile(log, line('ACK', mac));
    const seen: string[] = [];
    const watch = await watchExchange(nics, { file: () => log, parse: parseExchangeLine }, ({ nic, kind }) =>
      seen.push(`${nic} ${kind}`),
    );
    await appendFile(log, line('OFFER', mac) + line('OFFER', 'fa:16:3e:00:00:02'));
    const all = await watch.stop();
    expect(seen).toEqual(['eth0 OFFER']);
    expect(all).toMatchObject([{ nic: 'eth0', kind: 'OFFER', address: '10.0.0.5' }]);
  });
});
