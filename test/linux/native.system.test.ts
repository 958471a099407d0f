import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inNamespace } from '../../src/linux/in-namespace.ts';
import { deleteNamespace, ensureNamespace } from '../../src/linux/namespaces.ts';
import { nativeObstacle } from '../../src/linux/native.ts';
import { run } from '../../src/linux/run.ts';
import { deviceIndexIn, listenTcp, peerAddress } from '../../src/linux/tcp-sockets.ts';

const obstacle = process.getuid?.() !== 0 ? 'needs root' : nativeObstacle();
const here = () => readlinkSync('/proc/thread-self/ns/net');

describe.skipIf(obstacle !== undefined)(`calls of libc${obstacle ? `: ${obstacle}` : ''}`, () => {
  const namespace = `ns-${randomUUID()}`;
  const listen = (address: string, more: { readonly device?: string } = {}) =>
    listenTcp({ namespace, address, port: 8080, backlog: 5, ...more });
  beforeAll(async () => {
    await ensureNamespace(namespace);
  });
  afterAll(() => deleteNamespace(namespace));

  it('run in a namespace, and leave it even if they throw', () => {
    const home = here();
    expect(inNamespace(namespace, here)).not.toBe(home);
    const fail = () =>
      inNamespace(namespace, () => {
        throw new Error('x');
      });
    expect(fail).toThrow('x');
    expect(() => inNamespace('none', here)).toThrow('ENOENT');
    expect(here()).toBe(home);
  });

  it('open sockets that Node serves, and tell who connects', async () => {
    const { fd, deviceIndex } = listen('127.0.0.1');
    expect(deviceIndex).toBe(0);
    const server = createServer((socket) => socket.end(peerAddress(Reflect.get(socket, '_handle').fd)));
    server.listen({ fd });
    await once(server, 'listening');
    const ask = ['nsenter', `--net=/run/netns/${namespace}`, process.execPath, '-e'] as const;
    const script = "require('node:net').connect(8080, '127.0.0.1').pipe(process.stdout)";
    expect((await run([...ask, script])).stdout).toBe('127.0.0.1');
    server.close();
  });

  it('bind addresses that are not there yet, and share them', () => {
    const sockets = [
      listen('192.0.2.1'),
      listen('192.0.2.1'),
      listen('2001:db8::1'),
      listen('fe80::1', { device: 'lo' }),
    ];
    expect(sockets.at(-1)?.deviceIndex).toBe(deviceIndexIn(namespace, 'lo'));
    for (const { fd } of sockets) closeSync(fd);
  });

  it.each([
    ['an address without the device that it needs', () => listen('fe80::1'), 'bind: EINVAL'],
    ['a device that is not there', () => listen('fe80::1', { device: 'none' }), 'there is no device none'],
    ['what is no address', () => listen('example.org'), 'is not an IP address'],
    ['a connection that is closed', () => peerAddress(-1), 'getpeername: EBADF'],
  ])('throw for %s', (_, call, message) => {
    expect(call).toThrow(message);
  });
});
