import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type HostileWorld, hostileWorld } from './hostile-world.ts';

let world: HostileWorld;
let port: number;

beforeAll(async () => {
  world = await hostileWorld();
  await world.app.listen({ host: '127.0.0.1', port: 0 });
  port = (world.app.server.address() as AddressInfo).port;
});
afterAll(() => world?.close());

const WAIT_MS = 10_000;

/** Sends raw bytes; returns everything received until the server closed the connection. */
function exchange(bytes: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    const chunks: Buffer[] = [];
    socket.setTimeout(WAIT_MS, () => socket.destroy(new Error(`the server did not close within ${WAIT_MS} ms`)));
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve(Buffer.concat(chunks).toString()));
    socket.end(bytes);
  });
}

describe('a malformed HTTP request', () => {
  test.each([
    ['no HTTP at all', Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]), 400],
    ['an unknown method', 'BREW /v2.0/networks HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['a header without a name', 'GET /v2.0/networks HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n', 400],
    ['a header with NUL', 'GET /v2.0/networks HTTP/1.1\r\nHost: a\r\nX-A: a\0b\r\n\r\n', 400],
    ['two lengths', 'POST /v2.0/networks HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx', 400],
    [
      'a length and chunks',
      'POST /v2.0/networks HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['a negative length', 'POST /v2.0/networks HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n', 400],
    ['an endless URL', `GET /v2.0/networks?name=${'x'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 431],
    ['endless headers', `GET /v2.0/networks HTTP/1.1\r\nHost: a\r\n${'X-A: b\r\n'.repeat(4000)}\r\n`, 431],
  ])('%s gets a NeutronError and no more', async (_what, bytes, status) => {
    const answer = await exchange(bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    const [, body = ''] = answer.split('\r\n\r\n');
    expect(JSON.parse(body)).toMatchObject({ NeutronError: { type: 'HTTPBadRequest', detail: '' } });
  });

  test('a connection that breaks off in the middle of a body changes nothing', async () => {
    const body = '{"network": {"name": "half"';
    await exchange(`POST /v2.0/networks HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length + 50}\r\n\r\n${body}`);
    const { body: listed } = await world.send('GET', '/v2.0/networks?name=half&fields=id');
    expect(JSON.parse(listed)).toEqual({ networks: [] });
  });

  test('a body larger than the limit is rejected as too large', async () => {
    const { status, body } = await world.sendRaw('POST', '/v2.0/networks', 'x'.repeat(17 * 1024 * 1024));
    expect(status).toBe(413);
    expect(JSON.parse(body)).toHaveProperty('NeutronError.type', 'HTTPRequestEntityTooLarge');
  });
});
