import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { NovaMetadata, signatureOf } from '../../../src/agents/metadata/nova.ts';
import { type Config, defaultConfig } from '../../../src/config/options.ts';
import { run } from '../../../src/linux/run.ts';
import { type StandInNova, startNova } from '../../support/nova.ts';

let folder: string;
let server: StandInNova;
const at = (name: string) => join(folder, name);
const open = new Set<NovaMetadata>();

/** A private CA, and certificates of it for the server and the agent. */
async function makeCertificates(): Promise<void> {
  const openssl = (...args: string[]) => run(['openssl', ...args], { timeoutMs: 60_000 });
  const newKey = (name: string) => [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-keyout',
    at(`${name}.key`),
  ];
  await openssl('req', '-x509', ...newKey('ca'), '-out', at('ca.pem'), '-subj', '/CN=private CA', '-days', '3');
  writeFileSync(at('names'), 'subjectAltName=IP:127.0.0.1\n');
  for (const name of ['nova', 'agent']) {
    await openssl('req', ...newKey(name), '-out', at(`${name}.csr`), '-subj', `/CN=${name}`);
    const by = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-extfile', at('names')];
    await openssl('x509', '-req', '-in', at(`${name}.csr`), ...by, '-out', at(`${name}.pem`), '-days', '3');
  }
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'neutrino-nova-'));
  await makeCertificates();
  const [ca, cert, key] = ['ca.pem', 'nova.pem', 'nova.key'].map((name) => readFileSync(at(name)));
  if (!ca || !cert || !key) throw new Error('no certificates');
  server = await startNova({ tls: { ca, cert, key } });
});
afterEach(async () => {
  for (const one of open) await one.close();
  open.clear();
});
afterAll(async () => {
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

function novaWith(changes: Partial<Config['DEFAULT']>): NovaMetadata {
  const { DEFAULT } = defaultConfig();
  const tls = { nova_metadata_protocol: 'https', nova_metadata_port: server.port };
  const one = new NovaMetadata({ ...DEFAULT, ...tls, ...changes });
  open.add(one);
  return one;
}

const ask = async (nova: NovaMetadata, signal = new AbortController().signal) => {
  const instance = { id: 'vm-1', project: 'p1' };
  const answer = await nova.ask({ method: 'GET', path: '/x', body: null, instance, address: '10.0.0.5', signal });
  return { status: answer.statusCode, text: await text(answer.body) };
};

describe("Nova's metadata API with TLS and a private CA", () => {
  const client = () => ({ nova_client_cert: at('agent.pem'), nova_client_priv_key: at('agent.key') });

  it('gets the client certificate, and is verified with auth_ca_cert', async () => {
    expect(await ask(novaWith({ ...client(), auth_ca_cert: at('ca.pem') }))).toEqual({ status: 200, text: '/x' });
    expect(server.saw.at(-1)).toMatchObject({ client: 'agent', headers: { 'x-instance-id': 'vm-1' } });
  });

  it('is not verified with nova_metadata_insecure', async () => {
    expect(await ask(novaWith({ ...client(), nova_metadata_insecure: true }))).toMatchObject({ status: 200 });
  });

  it('counts as away if its certificate is of an unknown CA, or it refuses the agent', async () => {
    const before = server.saw.length;
    await expect(ask(novaWith(client()))).rejects.toMatchObject({
      ...{ name: 'NovaAway', status: 503 },
      message: expect.stringContaining('(check auth_ca_cert)'),
    });
    for (const one of [{ nova_client_cert: '' }, { nova_client_priv_key: '' }])
      await expect(ask(novaWith({ ...client(), ...one, auth_ca_cert: at('ca.pem') }))).rejects.toMatchObject({
        status: 503,
      });
    expect(server.saw).toHaveLength(before);
  });

  it.each(['auth_ca_cert', 'nova_client_cert', 'nova_client_priv_key'])('%s must be readable', (name) => {
    expect(() => novaWith({ [name]: at('missing') })).toThrow(new RegExp(`^\\[DEFAULT\\] ${name} = .*missing: ENOENT`));
  });
});

describe('NovaMetadata', () => {
  it('signs ids as Nova verifies them: HMAC-SHA256 in hex', () => {
    // RFC 4231, 4.3.
    expect(signatureOf('Jefe', 'what do ya want for nothing?')).toBe(
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    );
  });

  it('ends a request whose machine is gone', async () => {
    const plain = await startNova();
    try {
      const gone = new AbortController();
      plain.answer(() => gone.abort());
      const nova = novaWith({ nova_metadata_protocol: 'http', nova_metadata_port: plain.port });
      await expect(ask(nova, gone.signal)).rejects.toMatchObject({ name: 'NovaAway' });
    } finally {
      await plain.close();
    }
  });
});
