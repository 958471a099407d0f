import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

describe('a proxy that can break connections', () => {
  const heard: string[] = [];
  let proxy: TcpProxy | undefined;
  afterEach(() => proxy?.close());

  /** Starts a server behind a proxy that responds `ok` to everything; returns a function that returns the response to a text. */
  async function start(): Promise<(words: string) => Promise<string>> {
    heard.length = 0;
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => {
        heard.push(String(chunk));
        socket.write('ok');
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    server.unref();
    proxy = await startTcpProxy('127.0.0.1', (server.address() as { port: number }).port);
    return async (words) => {
      const client = connect(proxy?.port ?? 0, '127.0.0.1');
      const answer = new Promise<string>((resolve) => {
        client.on('data', (chunk) => resolve(String(chunk)));
        client.on('error', (error) => resolve(error.message));
      });
      client.write(words);
      const said = await answer;
      client.destroy();
      return said;
    };
  }

  test('forwards bytes, and breaks once, before or after the watched text', async () => {
    const say = await start();
    expect(await say('hello')).toBe('ok');
    const before = proxy?.cutOn('commit', 'before', 5_000);
    expect(await say('insert')).toBe('ok');
    expect(await say('commit')).toMatch(/ECONNRESET/);
    expect(await before).toBe(true);
    expect(heard).toEqual(['hello', 'insert']);
    const after = proxy?.cutOn('commit', 'after', 5_000);
    expect(await say('commit')).toMatch(/ECONNRESET/);
    expect(await after).toBe(true);
    expect(heard.at(-1)).toBe('commit');
    expect(await say('commit')).toBe('ok');
  });

  test('stops watching after a time limit', async () => {
    const say = await start();
    expect(await proxy?.cutOn('never', 'before', 10)).toBeUndefined();
    expect(await say('never')).toBe('ok');
  });
});
