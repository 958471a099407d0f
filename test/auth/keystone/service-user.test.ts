import { pino } from 'pino';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ServiceClient } from '../../../src/auth/keystone/client.ts';
import { ServiceUser } from '../../../src/auth/keystone/service-user.ts';
import { waitFor } from '../../../src/time/wait.ts';
import { configWith } from '../../support/core.ts';
import { KeystoneFront } from './front.ts';

const HOUR = 3_600_000;
const START = Date.parse('2030-01-01T00:00:00Z');

/** Answers logins in Keystone's place, because only so the clock can be set: tokens t1, t2, ... that live for an hour. */
let front: KeystoneFront;
let client: ServiceClient;
let user: ServiceUser;
let broken = false;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: START });
  broken = false;
  front = await KeystoneFront.start('http://127.0.0.1:1');
  front.answer = (_, response) => {
    if (broken) return void response.writeHead(500).end();
    const token = { user: { id: 'u' }, expires_at: new Date(Date.now() + HOUR).toISOString() };
    response.writeHead(201, { 'x-subject-token': `t${front.logins}` }).end(JSON.stringify({ token }));
  };
  const { keystone_authtoken: options } = configWith({
    keystone_authtoken: { auth_url: front.url, username: 'neutron', password: 'x', project_name: 'service' },
  });
  client = new ServiceClient(options);
  user = new ServiceUser(client, options, pino({ level: 'silent' }));
});
afterEach(async () => {
  vi.useRealTimers();
  await client.close();
  front.close();
});

const token = async () => (await user.token()).token;

it('logs in once, however many ask at first', async () => {
  expect(await Promise.all([token(), token(), token()])).toEqual(['t1', 't1', 't1']);
  expect(front.logins).toBe(1);
});

it('renews a token that is about to end without letting anybody wait', async () => {
  expect(await token()).toBe('t1');
  vi.setSystemTime(START + HOUR - 121_000);
  expect(await token()).toBe('t1');
  expect(front.logins).toBe(1);
  vi.setSystemTime(START + HOUR - 119_000);
  expect(await token()).toBe('t1');
  await waitFor('the new token', async () => (await token()) === 't2', 10_000);
  expect(front.logins).toBe(2);
});

it('uses a token to its end if it cannot be renewed, and not beyond', async () => {
  await token();
  broken = true;
  vi.setSystemTime(START + HOUR - 1000);
  expect(await token()).toBe('t1');
  vi.setSystemTime(START + HOUR);
  await expect(token()).rejects.toThrow('answers 500 to a login, without a token: is it Keystone?');
  broken = false;
  expect(await token()).toMatch(/^t\d$/);
});

it('replaces a rejected token once, however many had it', async () => {
  const rejected = await user.token();
  const replaced = await Promise.all([user.replace(rejected), user.replace(rejected), user.replace(rejected)]);
  expect(replaced.map((one) => one.token)).toEqual(['t2', 't2', 't2']);
  expect((await user.replace(rejected)).token).toBe('t2');
});
