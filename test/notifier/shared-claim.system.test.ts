import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/db/open.ts';
import type { OutboxClaim, OutboxRow } from '../../src/notifier/claim.ts';
import { sharedClaim } from '../../src/notifier/shared-claim.ts';
import { enqueueNotification } from '../../src/plugin/events.ts';
import { EVENTS } from '../../src/rpc/events.ts';
import { createWorld, type World } from '../plugin/world.ts';

let world: World;
let closing: (() => Promise<void> | void)[];
beforeEach(async () => {
  closing = [];
  world = await createWorld();
  closing.push(() => world.close());
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** The claim of another server: over a database handle of its own. */
function server(): OutboxClaim {
  const db = openDatabase(world.core.config);
  closing.push(() => db.close());
  return sharedClaim(db);
}
const tell = (...events: readonly (readonly [key: string, port: number])[]) =>
  world.transaction(async (trx) => {
    for (const [key, port] of events) {
      const payload = { subject: key, port_id: `${port}` };
      await enqueueNotification(trx, EVENTS.port_delete, payload, { network: key });
    }
  });
const subjects = (rows: readonly OutboxRow[]) => rows.map((row) => row.ordering_key);
const ports = (rows: readonly OutboxRow[]) =>
  rows.map((row) => Number((JSON.parse(row.payload) as { port_id: string }).port_id));
const ids = (rows: readonly OutboxRow[]) => rows.map((row) => Number(row.id));
/** Ends a pass; all of its rows are told unless it is said which. */
const end = (claim: OutboxClaim, rows: readonly OutboxRow[], told = rows) =>
  claim.done(ids(told), [...new Set(subjects(rows))]);
const left = async () => (await world.core.db.kysely.selectFrom('outbox').select('id').execute()).length;
const claims = async () =>
  (await world.core.db.kysely.selectFrom('workclaims').select('work').orderBy('work').execute()).map((r) => r.work);
const setExpiry = (expires_at: number) => world.core.db.kysely.updateTable('workclaims').set({ expires_at }).execute();

describe('servers that share an outbox', () => {
  it('get the events of different keys, each in order', async () => {
    const [one, two] = [server(), server()];
    await tell(['a', 1], ['b', 2], ['a', 3]);
    expect(ports(await one.next(500, ['b']))).toEqual([1, 3]);
    await tell(['a', 4]);
    expect(ports(await two.next(500, []))).toEqual([2]);
    expect(await claims()).toEqual(['a', 'b']);
  });

  it('get what others leave, past the rows of keys that are being published', async () => {
    const [one, two] = [server(), server()];
    await tell(...Array.from({ length: 20 }, (_, n) => ['a', n] as const), ['b', 20]);
    expect(subjects(await one.next(5, []))).toEqual(['a', 'a', 'a', 'a', 'a']);
    expect(subjects(await two.next(5, []))).toEqual(['b']);
  });

  it('continue a key where another server has stopped: published rows are gone, the others come again', async () => {
    const [one, two] = [server(), server()];
    await tell(['a', 1], ['a', 2], ['a', 3]);
    const rows = await one.next(500, []);
    expect(await two.next(500, [])).toEqual([]);
    await end(one, rows, rows.slice(0, 2));
    expect(ports(await two.next(500, []))).toEqual([3]);
    expect(await one.next(500, [])).toEqual([]);
  });

  it('leave no claim behind', async () => {
    const [one, two] = [server(), server()];
    await tell(['a', 1], ['b', 2]);
    for (const claim of [one, two]) await end(claim, await claim.next(500, []));
    expect(await left()).toBe(0);
    expect(await claims()).toEqual([]);
    await two.done([], []);
  });

  it('get again what they failed to publish, and no other server does', async () => {
    const [one, two] = [server(), server()];
    await tell(['a', 1], ['b', 2]);
    await one.next(500, []);
    expect(subjects(await one.next(500, ['a']))).toEqual(['b']);
    expect(await two.next(500, [])).toEqual([]);
    await end(one, await one.next(500, ['b']));
    expect(await claims()).toEqual(['b']);
  });

  it('may publish several keys for different times', async () => {
    const [one, two] = [server(), server()];
    await tell(['a', 1], ['b', 2]);
    const [a, b] = await one.next(500, []);
    await tell(['a', 3], ['b', 4]);
    await end(one, b ? [b] : []);
    expect(ports(await two.next(500, []))).toEqual([4]);
    await end(one, a ? [a] : []);
    expect(ports(await one.next(500, []))).toEqual([3]);
  });

  it('take over from a killed server once its claims have expired, not before', async () => {
    const [killed, living] = [server(), server()];
    await tell(['a', 1]);
    expect(ports(await killed.next(500, []))).toEqual([1]);
    await setExpiry(Date.now() + 9_000);
    expect(await living.next(500, [])).toEqual([]);
    await setExpiry(Date.now() - 1);
    expect(ports(await living.next(500, []))).toEqual([1]);
    // One that only seemed dead does not take the claim away from its new owner.
    await killed.done([], ['a']);
    expect(await claims()).toEqual(['a']);
  });

  it('do not wait for claims from before the clock was set back', async () => {
    const [killed, living] = [server(), server()];
    await tell(['a', 1]);
    await killed.next(500, []);
    await setExpiry(Date.now() + 3_600_000);
    expect(ports(await living.next(500, []))).toEqual([1]);
  });

  it('keep the keys that they publish for as long as it takes', async () => {
    const [slow, other] = [server(), server()];
    await tell(['a', 1]);
    await slow.next(500, []);
    await setExpiry(0);
    const expiry = async () =>
      Number((await world.core.db.kysely.selectFrom('workclaims').selectAll().execute())[0]?.expires_at);
    await expect.poll(expiry, { timeout: 20_000 }).toBeGreaterThan(Date.now());
    expect(await other.next(500, [])).toEqual([]);
  });

  it('can delete rows again that are gone already', async () => {
    const claim = server();
    await tell(['a', 1]);
    const rows = await claim.next(500, []);
    await end(claim, rows);
    await end(claim, rows);
    expect(await left()).toBe(0);
  });
});

describe('relays of several processes', () => {
  const NETWORKS = 12;
  const WRITERS = 4;
  const EVENTS = 40;
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'neutrino-relays-'));
    file = join(folder, 'told');
    closing.push(() => rmSync(folder, { recursive: true, force: true }));
  });

  /** A process that relays, and writes events itself when it is told to. */
  async function relay(...stuck: string[]): Promise<ChildProcess> {
    const args = [JSON.stringify(world.core.config), file, ...stuck];
    const child = fork(new URL('./relay.worker.ts', import.meta.url).pathname, args, { execArgv: [] });
    closing.push(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    });
    await once(child, 'message');
    return child;
  }
  /** What was told by all, in the order in which it was: subject and number of the event. */
  const told = () => {
    let text = '';
    try {
      text = readFileSync(file, 'utf8');
    } catch {
      // Nothing yet.
    }
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => line.split(' ') as [by: string, subject: string, event: string]);
  };
  const of = (subject: string) => told().flatMap(([, s, event]) => (s === subject ? [event] : []));

  it('publish every event of all writers once, and those of one writer and key in order', async () => {
    const workers = await Promise.all([relay(), relay()]);
    for (const [w, worker] of workers.entries())
      worker.send({ writers: WRITERS, name: `w${w}`, networks: NETWORKS, events: EVENTS });
    const total = workers.length * WRITERS * EVENTS;
    await expect.poll(() => told().length, { timeout: 50_000 }).toBe(total);
    await expect.poll(left).toBe(0);
    expect(told()).toHaveLength(total);
    expect(new Set(told().map(([, subject, event]) => `${subject} ${event}`)).size).toBe(total);
    for (let n = 0; n < NETWORKS; n += 1) {
      const last = new Map<string, number>();
      for (const event of of(`n${n}`)) {
        const [writer = '', number] = event.split(':');
        expect(Number(number)).toBeGreaterThan(last.get(writer) ?? -1);
        last.set(writer, Number(number));
      }
    }
    expect(await claims()).toEqual([]);
  });

  it('continue the keys of one that was killed while it published them', async () => {
    await tell(['stuck', 1], ['stuck', 2]);
    const killed = await relay('stuck');
    await expect.poll(() => of('stuck').length, { timeout: 20_000 }).toBeGreaterThan(0);
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    await relay();
    await tell(['stuck', 3], ['free', 1]);
    await expect.poll(() => of('free'), { timeout: 20_000 }).toEqual(['1']);
    await expect.poll(claims).toEqual(['stuck']);
    await setExpiry(0);
    await expect.poll(left, { timeout: 20_000 }).toBe(0);
    expect(of('stuck').slice(-3)).toEqual(['1', '2', '3']);
  });
});
