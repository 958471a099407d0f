import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../../src/linux/run.ts';
import { waitFor } from '../../src/time/wait.ts';
import { settle } from './deployment/settle.ts';
import { startUpOnHost, type UpOnHost } from './deployment/up-on-host.ts';
import { type Answer, ask } from './load/ask.ts';
import { Ledger, type Wanted } from './load/ledger.ts';

const SETTLE_MS = 90_000;

/** A separate disk for the state path, in memory. */
async function smallDisk(statePath: string): Promise<() => Promise<void>> {
  await run(['mount', '-t', 'tmpfs', '-o', 'size=24m,mode=755', 'neutrino-fault', statePath]);
  // Lazily, because after a failed test a process may still have a file open.
  return async () => void (await run(['umount', '--lazy', statePath]));
}

describe.skipIf(process.getuid?.() !== 0)('neutrino up on a full disk (needs root)', { timeout: 180_000 }, () => {
  let up: UpOnHost;
  let network: string;
  const ledger = new Ledger();
  beforeAll(async () => {
    up = await startUpOnHost('fault-disk', smallDisk);
    // More addresses than ports fit on the disk.
    network = await up.api.network({ cidr: '10.80.0.0/16' });
  });
  afterAll(() => up?.dispose());

  const ballast = () => join(up.statePath, 'ballast');
  /** Fills the disk to the last byte. */
  const fillDisk = () => run(['sh', '-c', `cat /dev/zero >>${ballast()}`], { okCodes: [1] });
  const makeRoom = () => rmSync(ballast());

  async function makePort(name: string): Promise<Answer> {
    const answer = await ask(up.api.url, 'POST', 'ports', { port: { network_id: network, name } });
    if (answer.status === 201) ledger.answered('port', name, answer.body.port as Wanted);
    return answer;
  }

  /** Creates ports until the disk is full; returns the error. */
  async function untilRefused(prefix: string): Promise<Answer> {
    for (let i = 0; i < 2_000; i++) {
      const answer = await makePort(`${prefix}-${i}`);
      if (answer.status !== 201) return answer;
    }
    throw new Error('2000 ports, and the disk is not full');
  }

  const FULL = {
    status: 503,
    body: {
      NeutronError: {
        type: 'ServiceUnavailable',
        message: 'The disk that holds the database is full; nothing was changed.',
        detail: '',
      },
    },
  };

  test('changes fail with a clear error and have no effect, reads continue, and everything works once there is space', async () => {
    const { api, guests } = up;
    expect((await makePort('kept')).status).toBe(201);
    const [kept] = await api.ports('name=kept');
    if (!kept) throw new Error('a port');
    await fillDisk();
    expect(await untilRefused('first')).toEqual(FULL);
    expect(await ask(api.url, 'PUT', `ports/${kept.id}`, { port: { description: 'x'.repeat(250) } })).toEqual(FULL);
    expect((await api.port(kept.id)).mac_address).toBe(kept.mac_address);
    await guests.renew();
    makeRoom();
    expect((await makePort('with room')).status).toBe(201);
    await settle(up.facts, ledger, { timeoutMs: SETTLE_MS, when: 'with room again' });
    await guests.renew();
  });

  test('files that cannot be written are written once there is space', async () => {
    const { guests, statePath, neutrino } = up;
    for (let i = 0; i < 50; i++) await makePort(`ballast-${i}`);
    await settle(up.facts, ledger, { timeoutMs: SETTLE_MS, when: 'before' });
    // Moves the write-ahead log into the database, after which transactions find some space in the log's file.
    const db = new DatabaseSync(join(statePath, 'neutrino.sqlite'), { timeout: 5_000 });
    db.exec('pragma wal_checkpoint(restart)');
    db.close();
    const said = neutrino.stderr.length;
    await fillDisk();
    expect((await makePort('not written')).status).toBe(201);
    expect(await untilRefused('second')).toEqual(FULL);
    const unwritten = async () =>
      /ENOSPC.*cannot bring a network to its desired state/.test(neutrino.stderr.slice(said)) || undefined;
    await waitFor('a word about files that cannot be written', unwritten, { timeoutMs: 20_000 });
    makeRoom();
    await settle(up.facts, ledger, { timeoutMs: SETTLE_MS, when: 'with room again' });
    await guests.renew();
  });

  test('killed on a full disk, it reports why it cannot start, and starts once there is space', async () => {
    const { api, guests, neutrino } = up;
    await fillDisk();
    await neutrino.kill();
    await guests.renew();
    await neutrino.start();
    expect(await neutrino.exitCode(20_000)).not.toBe(0);
    expect(neutrino.stderr.trim().split('\n').at(-1)).toMatch(/no space left on the disk that holds .*\/state/);
    await guests.renew();
    makeRoom();
    await neutrino.start();
    await api.awaitAnswer();
    await settle(up.facts, ledger, { timeoutMs: SETTLE_MS, when: 'started with room again' });
    await guests.renew();
  });
});
