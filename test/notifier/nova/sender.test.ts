import { Writable } from 'node:stream';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Config } from '../../../src/config/options.ts';
import { openDatabase } from '../../../src/db/open.ts';
import { type NovaSenderOptions, startNovaSender } from '../../../src/notifier/nova/sender.ts';
import { waitFor } from '../../../src/time/wait.ts';
import { accepted, type ComputeCloud, type SentEvent, startComputeCloud } from '../../support/compute-cloud.ts';
import { configWith, openCore, type TestCore } from '../../support/core.ts';

const SERVER = '3f2a1e0c-9d5b-4f6f-8a51-0c2f5f1f7d11';
const WAIT_MS = 30_000;

interface Starting extends Partial<Omit<NovaSenderOptions, 'core'>> {
  readonly config?: Config;
}

let cloud: ComputeCloud;
let core: TestCore;
let log: string;
let closing: (() => Promise<void>)[];
beforeEach(async () => {
  closing = [];
  log = '';
  cloud = await startComputeCloud();
  closing.push(() => cloud.close());
  core = await openCore({ nova: cloud.options, DEFAULT: { send_events_interval: 0, http_retries: 0 } });
  closing.push(() => core.dispose());
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Starts a sender of a server: with a database handle of its own if it shares the database. */
function start({ alone = true, config = core.config, maxWaiting }: Starting = {}) {
  const write = (chunk: Buffer, _encoding: string, done: () => void) => {
    log += chunk;
    done();
  };
  const db = alone ? core.db : openDatabase(core.config);
  const sender = startNovaSender({
    core: { db, config, log: pino({ level: 'debug' }, new Writable({ write })) },
    alone,
    ...(maxWaiting === undefined ? {} : { maxWaiting }),
  });
  let closed = false;
  const close = async () => {
    if (closed) return;
    closed = true;
    await sender.close();
    if (!alone) await db.close();
  };
  closing.push(close);
  return { close };
}

/** Commits one event for each port. */
const commit = (...ports: readonly string[]) =>
  core.db.transaction(async (trx) => {
    const event = { server_uuid: SERVER, name: 'network-changed', status: null, created_at: '2026-01-01 00:00:00' };
    for (const port_id of ports)
      await trx
        .insertInto('novaevents')
        .values({ ...event, port_id })
        .execute();
  });
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => `p${from + n}`);
const sent = () => cloud.accepted.flat().map((event) => event.tag);
const left = async () =>
  (await core.db.kysely.selectFrom('novaevents').select('port_id').orderBy('id').execute()).map((row) => row.port_id);
const arrived = (count: number) => waitFor(`${count} events`, () => sent().length >= count, WAIT_MS);
const emptied = () => waitFor('an empty queue', async () => (await left()).length === 0, WAIT_MS);
const logged = (text: string) => waitFor(`the log to say: ${text}`, () => log.includes(text), WAIT_MS);

test('events are sent as Nova takes them, and then forgotten', async () => {
  await core.db.kysely
    .insertInto('novaevents')
    .values({
      ...{ port_id: 'p', server_uuid: SERVER, name: 'network-vif-plugged' },
      status: 'completed',
      created_at: '',
    })
    .execute();
  await commit('q');
  start();
  await emptied();
  expect(cloud.accepted).toEqual([
    [
      { name: 'network-vif-plugged', server_uuid: SERVER, tag: 'p', status: 'completed' },
      { name: 'network-changed', server_uuid: SERVER, tag: 'q' },
    ],
  ]);
  expect(cloud.tokens).toEqual(['t1']);
});

test('events are sent in order, at most 100 in a request', async () => {
  await commit(...numbers(0, 250));
  start();
  await emptied();
  expect(cloud.accepted.map((events) => events.length)).toEqual([100, 100, 50]);
  expect(sent()).toEqual(numbers(0, 250));
});

test('events that are committed while a request is on its way follow it together', async () => {
  start();
  await commit('a');
  await arrived(1);
  const held: string[] = [];
  cloud.answer = (events) => {
    held.push(...events.map((event) => event.tag));
    return undefined;
  };
  for (const port of numbers(0, 20)) await commit(port);
  await arrived(21);
  expect(sent()).toEqual(['a', ...numbers(0, 20)]);
  expect(held).toEqual(numbers(0, 20));
  await emptied();
});

describe('while Nova', () => {
  test.each([
    ['answers an error', (): ReturnType<NonNullable<ComputeCloud['answer']>> => ({ status: 500 }), 'Nova answers 500'],
    ['is away behind a proxy', () => ({ status: 503 }) as const, 'answers 503'],
    ['forbids it', () => ({ status: 403 }) as const, 'needs the role admin, or service'],
    ['is something else', () => ({ status: 404, body: 'nothing here' }) as const, 'is it Nova?'],
    ['is a page', () => ({ status: 200, body: 'welcome' }) as const, 'is it Nova?'],
  ])('%s, events wait, in order, and it is logged once', async (_how, answer, reason) => {
    cloud.answer = answer;
    start();
    await commit('a', 'b');
    await logged(reason);
    await commit('c');
    await logged('"failures":2');
    expect(await left()).toEqual(['a', 'b', 'c']);
    cloud.answer = undefined;
    await emptied();
    expect(sent().slice(-3)).toEqual(['a', 'b', 'c']);
    await logged('Nova is notified again');
    expect(log.match(/"level":50/g)).toHaveLength(1);
  });

  test('is away, events wait until it is back', async () => {
    const { port } = cloud;
    await cloud.close();
    start();
    await commit('a');
    await logged('cannot notify Nova; retrying');
    await logged('cannot be reached');
    cloud = await startComputeCloud(port);
    await emptied();
    expect(sent()).toEqual(['a']);
  });

  test('is away, no more events wait than may: the oldest are dropped', async () => {
    cloud.answer = () => ({ status: 500 });
    await commit(...numbers(0, 130));
    start({ maxWaiting: 120 });
    await logged('"dropped":10');
    expect(await left()).toEqual(numbers(10, 130));
    cloud.answer = undefined;
    await emptied();
    expect(sent()).toEqual(numbers(10, 130));
  });
});

test('events that Nova does not accept are logged and not sent again', async () => {
  const refuse = (events: readonly SentEvent[], code: number) => ({
    status: 207,
    body: {
      events: accepted(events).events.map((one) => (one.tag === 'b' ? { ...one, code, status: 'failed' } : one)),
    },
  });
  cloud.answer = (events) => refuse(events, 404);
  start();
  await commit('a', 'b', 'c');
  await emptied();
  await logged('"refused":1');
  expect(cloud.accepted).toHaveLength(1);
  cloud.answer = () => ({ status: 404, body: { itemNotFound: { code: 404, message: 'No instances found' } } });
  await commit('d');
  await emptied();
  expect(cloud.refused.flat().map((event) => event.tag)).toEqual(['d']);
});

test('one event that Nova rejects does not take others with it', async () => {
  cloud.answer = (events) => (events.some((event) => event.tag === 'p37') ? { status: 400 } : undefined);
  await commit(...numbers(0, 100));
  start();
  await emptied();
  expect(sent()).toEqual(numbers(0, 100).filter((port) => port !== 'p37'));
  await logged('Nova rejects an event; it is dropped');
});

test('a token that Nova rejects is replaced', async () => {
  cloud.answer = () => (cloud.tokens.at(-1) === 't1' ? { status: 401 } : undefined);
  start();
  await commit('a');
  await emptied();
  expect(cloud.tokens).toEqual(['t1', 't2']);
});

test('what is committed before the end is sent at the end, or at the next start', async () => {
  const first = start();
  cloud.answer = () => 'hang';
  await commit('a');
  await waitFor('the request', () => cloud.tokens.length === 1, WAIT_MS);
  await commit('b');
  await first.close();
  expect(await left()).toEqual(['a', 'b']);
  expect(log).toContain('the next start continues with it');
  cloud.answer = undefined;
  start();
  await emptied();
  expect(sent()).toEqual(['a', 'b']);
});

test('of several servers, one sends at a time; no event is lost or sent twice while none is killed', async () => {
  let open = 0;
  const most: number[] = [];
  cloud.answer = () => {
    most.push(++open);
    setImmediate(() => open--);
    return undefined;
  };
  for (let servers = 0; servers < 3; servers++) start({ alone: false });
  for (let from = 0; from < 300; from += 10) await commit(...numbers(from, from + 10));
  await emptied();
  expect(sent()).toEqual(numbers(0, 300));
  expect(Math.max(...most)).toBe(1);
});

test('the events of a server that was killed are sent by another once its claim has expired', async () => {
  const claim = { work: 'nova_events', owner: 'killed' };
  const expiry = (ms: number) =>
    core.db.kysely.insertInto('workclaims').values({ ...claim, expires_at: Date.now() + ms });
  await expiry(8_000).execute();
  await commit('a');
  start({ alone: false });
  await waitFor('the look', () => cloud.logins === 1, WAIT_MS);
  expect(sent()).toEqual([]);
  await core.db.kysely
    .updateTable('workclaims')
    .set({ expires_at: Date.now() - 1 })
    .execute();
  await emptied();
  expect(sent()).toEqual(['a']);
});

test.each([
  [{ username: '' }, '[nova] username: must be set, because auth_url is set'],
  [{ cafile: '/no/file' }, '[nova] cafile = /no/file: ENOENT'],
])('a configuration with %o is refused', (nova, message) => {
  const config = configWith({ nova: { ...cloud.options, ...nova } });
  expect(() => startNovaSender({ core: { ...core, config }, alone: true })).toThrow(message);
});

test('a wrong configuration is logged at the start', async () => {
  start({ config: configWith({ nova: { ...cloud.options, region_name: 'elsewhere' } }) });
  await logged('no public compute endpoint in region elsewhere: check endpoint_type and region_name in [nova]');
});
