import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createWorld, type World } from '../plugin/world.ts';
import { apiOf, servicesOf } from '../support/services.ts';

let world: World;
let api: FastifyInstance;
let lines: Record<string, unknown>[];
beforeEach(async () => {
  world = await createWorld();
  lines = [];
  const log = pino(
    { base: null, timestamp: false },
    { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  );
  api = apiOf(world.core, servicesOf(world.core, world.allocator), log);
});
afterEach(async () => {
  await api.close();
  await world.close();
});

const ask = (method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, payload?: string) =>
  api.inject({
    method,
    url,
    headers: { 'x-project-id': 'p1', 'x-user-id': 'u1' },
    ...(payload === undefined ? {} : { payload }),
  });

describe('the log of changes', () => {
  test('has one line for a create: who, what, id, name, status, milliseconds, request id', async () => {
    const reply = await ask('POST', '/v2.0/networks', '{"network": {"name": "n"}}');
    const { id } = (reply.json() as { network: { id: string } }).network;
    expect(lines).toMatchObject([
      {
        msg: 'create network',
        request_id: reply.headers['x-openstack-request-id'],
        project_id: 'p1',
        user_id: 'u1',
        id,
        name: 'n',
        status: 201,
        ms: expect.any(Number),
      },
    ]);
  });

  test('has one line for a bulk create, with the number of resources', async () => {
    await ask('POST', '/v2.0/networks', '{"networks": [{"name": "a"}, {"name": "b"}]}');
    expect(lines).toMatchObject([
      { msg: 'create network', count: 2, ids: [expect.any(String), expect.any(String)], names: ['a', 'b'] },
    ]);
  });

  test('has one line for updates, deletes and actions', async () => {
    const id = await world.network();
    await ask('PUT', `/v2.0/networks/${id}`, '{"network": {"name": "m"}}');
    await ask('PUT', `/v2.0/networks/${id}/tags/red`);
    await ask('DELETE', `/v2.0/networks/${id}`);
    expect(lines.map(({ msg, id: of, name, tag, status }) => [msg, of, name, tag, status])).toEqual([
      ['update network', id, 'm', undefined, 200],
      ['add_tag network', id, undefined, 'red', 201],
      ['delete network', id, undefined, undefined, 204],
    ]);
  });

  test('has one line for a rejected change, with the reason and the request id of the response', async () => {
    const reply = await ask('POST', '/v2.0/networks', '{"network": {"nope": 1}}');
    expect(lines).toMatchObject([
      {
        msg: 'create network refused',
        status: 400,
        error: "Unrecognized attribute(s) 'nope'",
        request_id: reply.headers['x-openstack-request-id'],
      },
    ]);
    lines.length = 0;
    await ask('POST', '/v2.0/networks', '{');
    await ask('DELETE', '/v2.0/nothing');
    expect(lines.map(({ msg, status, error }) => [msg, status, error])).toEqual([
      ['POST /v2.0/networks refused', 400, 'Body contains invalid data'],
      ['DELETE /v2.0/nothing refused', 404, 'The resource /v2.0/nothing could not be found.'],
    ]);
  });

  test('has no line for reads', async () => {
    await ask('GET', '/v2.0/networks');
    expect(lines).toEqual([]);
  });
});

test('the response to malformed JSON names the position of the error', async () => {
  const reply = await ask('POST', '/v2.0/networks', '{"network": {"name": "n",}}');
  const { NeutronError: error } = reply.json() as { NeutronError: { message: string; detail: string } };
  expect(error.message).toBe('Body contains invalid data');
  expect(error.detail).toMatch(/position 25 \(line 1 column 26\)/);
});

test('/openapi.json returns the same document as /v2.0/openapi.json', async () => {
  const [short, long] = await Promise.all([ask('GET', '/openapi.json'), ask('GET', '/v2.0/openapi.json')]);
  expect(short.statusCode).toBe(200);
  expect(short.json()).toEqual(long.json());
});
