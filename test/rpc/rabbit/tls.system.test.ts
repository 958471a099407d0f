import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { run } from '../../../src/linux/run.ts';
import { type RabbitMq, startRabbitMq } from '../../support/rabbitmq.ts';
import { describeWithBroker, keptLog, rabbitConfig, Transports } from './world.ts';

let folder: string;
let broker: RabbitMq;
const transports = new Transports();

/** A certification authority, and a broker's certificate of it for a name that is not that of the test's host. */
async function makeCertificates(): Promise<void> {
  const openssl = (...args: string[]) => run(['openssl', ...args], { timeoutMs: 60_000 });
  const at = (name: string) => join(folder, name);
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  for (const ca of ['ca', 'other']) {
    await openssl(
      'req',
      '-x509',
      ...newKey,
      '-keyout',
      at(`${ca}.key`),
      '-out',
      at(`${ca}.pem`),
      '-subj',
      `/CN=${ca}`,
      '-days',
      '3',
    );
  }
  await openssl('req', ...newKey, '-keyout', at('mq.key'), '-out', at('mq.csr'), '-subj', '/CN=mq1.example.org');
  await openssl(
    'x509',
    '-req',
    '-in',
    at('mq.csr'),
    '-CA',
    at('ca.pem'),
    '-CAkey',
    at('ca.key'),
    '-CAcreateserial',
    '-out',
    at('mq.pem'),
    '-days',
    '3',
  );
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'neutrino-tls-'));
  await makeCertificates();
  const tls = { ca: join(folder, 'ca.pem'), cert: join(folder, 'mq.pem'), key: join(folder, 'mq.key') };
  broker = await startRabbitMq({ tls });
}, 300_000);
afterEach(async () => {
  await transports.close();
});
afterAll(async () => {
  await broker?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

const connect = (options: Parameters<typeof rabbitConfig>[1], log = keptLog().log) =>
  transports.connect(rabbitConfig(broker.transportUrl({ port: broker.tlsPort }), { ssl: true, ...options }), log);

describeWithBroker('TLS', () => {
  test.each([
    ['with the authority of the broker’s certificate', { ssl_ca_file: 'ca.pem' }],
    ['without an authority: encrypted, unchecked, as stock does it', {}],
  ])('%s', async (_how, files) => {
    const paths = Object.fromEntries(Object.entries(files).map(([name, file]) => [name, join(folder, file)]));
    const transport = connect(paths);
    await transport.serve('t', 'host-1', { version: '1.0', methods: { echo: (args) => args } });
    const args = { text: 'x'.repeat(300_000) };
    expect(await transport.call({ topic: 't' }, 'echo', args)).toEqual(args);
  });

  test('with another authority is refused, and the log says which option to look at', async () => {
    const { log, at } = keptLog();
    const transport = connect({ ssl_ca_file: join(folder, 'other.pem') }, log);
    await expect(transport.cast({ topic: 't' }, 'm', {}, { timeoutMs: 500 })).rejects.toThrow(/no connection/);
    await vi.waitFor(() => expect(at('warn').join()).toMatch(/TLS fails \(\w+\): check ssl_ca_file/), {
      timeout: 20_000,
    });
  });

  test('asked for in the URL is TLS', async () => {
    const url = `${broker.transportUrl({ port: broker.tlsPort })}?ssl=true`;
    const transport = transports.connect(rabbitConfig(url));
    await transport.cast({ topic: 't' }, 'm', {});
  });

  test('left out, towards a port with TLS: the log says so', async () => {
    const { log, at } = keptLog();
    const transport = connect({ ssl: false }, log);
    await expect(transport.cast({ topic: 't' }, 'm', {}, { timeoutMs: 500 })).rejects.toThrow(/no connection/);
    await vi.waitFor(() => expect(at('warn').join()).toMatch(/is this its AMQP port/), { timeout: 20_000 });
  });
});
