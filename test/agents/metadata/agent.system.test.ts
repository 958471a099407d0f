import { createHmac } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunningAgent } from '../../../src/agents/common/heartbeat.ts';
import { startMetadataAgent } from '../../../src/agents/metadata/agent.ts';
import type { Config } from '../../../src/config/options.ts';
import type { RpcTransport } from '../../../src/rpc/contract.ts';
import { createMemoryTransport } from '../../../src/rpc/memory/transport.ts';
import { createRabbitTransport } from '../../../src/rpc/rabbit/transport.ts';
import { createServedWorld, type ServedWorld } from '../../endpoints/agents.ts';
import { ADMIN, configWith } from '../../plugin/world.ts';
import { keptLog, rabbitConfig } from '../../rpc/rabbit/world.ts';
import { askSocket } from '../../support/metadata-socket.ts';
import { type StandInNova, sendText, startNova } from '../../support/nova.ts';
import { rabbitMqObstacle } from '../../support/rabbitmq.ts';
import { sharedBroker } from '../../support/shared-services.ts';
import { metadataConfig, SECRET } from './site.ts';

const silent = pino({ level: 'silent' });
const TRANSPORTS: readonly (readonly [string, () => Promise<RpcTransport>, string | undefined])[] = [
  ['memory', async () => createMemoryTransport({ log: silent }), undefined],
  [
    'RabbitMQ',
    async () =>
      createRabbitTransport({
        config: rabbitConfig((await sharedBroker()).transportUrl()),
        log: silent,
        programName: 'neutrino-test',
      }),
    rabbitMqObstacle(),
  ],
];

let folder: string;
let world: ServedWorld;
let nova: StandInNova;
let network: string;
let kept: ReturnType<typeof keptLog>;
let close: (() => Promise<void>)[];

async function setUp(transport?: RpcTransport) {
  folder = mkdtempSync(join(tmpdir(), 'neutrino-metadata-'));
  world = await createServedWorld({}, transport);
  nova = await startNova();
  network = await world.network();
  await world.subnet(network, '10.0.0.0/24');
  kept = keptLog();
  close = [() => nova.close(), () => world.close()];
}

async function agent(changes: Partial<Config['DEFAULT']> = {}): Promise<RunningAgent> {
  const config = configWith({ DEFAULT: { ...metadataConfig(folder, nova.port), host: 'h1', ...changes } });
  const started = await startMetadataAgent({ config, transport: world.transport, log: kept.log });
  close.unshift(() => started.close());
  return started;
}

afterEach(async () => {
  for (const end of close.splice(0)) await end();
  rmSync(folder, { recursive: true, force: true });
});

const socketPath = () => join(folder, 'run', 'metadata_proxy');
const ask = (headers: Readonly<Record<string, string | readonly string[]>>, path = '/latest/meta-data/', more = {}) =>
  askSocket(socketPath(), { path, headers, ...more });
const asks = (address: string, path?: string, more?: object) =>
  ask({ 'X-Neutron-Network-ID': network, 'X-Forwarded-For': address }, path, more);
const machine = async (values: object = {}) =>
  (await world.port(network, { device_id: 'vm-1', device_owner: 'compute:nova', project_id: 'p1', ...values })) as {
    id: string;
    mac_address: string;
    fixed_ips: { ip_address: string }[];
  };
const addressOf = (port: Awaited<ReturnType<typeof machine>>) => port.fixed_ips[0]?.ip_address ?? '';
const signed = (id: string) => createHmac('sha256', SECRET).update(id).digest('hex');

describe.each(TRANSPORTS)('the metadata agent over %s', (_, open, obstacle) => {
  describe.skipIf(obstacle !== undefined)(obstacle ?? 'with a server', () => {
    beforeEach(async () => setUp(await open()));

    it("tells Nova which instance asks, signed, and nothing of the client's own", async () => {
      await agent();
      const address = addressOf(await machine());
      const reply = await ask(
        {
          'X-Neutron-Network-ID': network,
          'X-Forwarded-For': ['10.0.0.250', address],
          'X-Instance-ID': 'other',
          'X-Tenant-ID': 'p2',
          'X-Instance-ID-Signature': signed('other'),
          'X-Metadata-Provider': 'x',
          Cookie: 'x',
        },
        '/openstack/latest/meta_data.json?a=%20b',
      );
      expect(reply).toMatchObject({ status: 200, text: '/openstack/latest/meta_data.json?a=%20b' });
      expect(reply.headers['content-type']).toBe('text/plain; charset=UTF-8');
      const { host, connection, ...headers } = nova.saw[0]?.headers ?? {};
      expect(headers).toEqual({
        accept: '*/*',
        'user-agent': 'neutrino',
        'x-forwarded-for': address,
        'x-instance-id': 'vm-1',
        'x-tenant-id': 'p1',
        'x-instance-id-signature': signed('vm-1'),
      });
    });

    it('finds a machine by its link-local address, and behind a router', async () => {
      await agent();
      const port = await machine({ mac_address: 'fa:16:3e:12:34:56' });
      expect((await asks('fe80::f816:3eff:fe12:3456')).status).toBe(200);
      expect((await asks('fe80::f816:3eff:fe12:3457')).status).toBe(404);
      const [router] = await world.of('router').create(ADMIN, [{ name: 'r' }]);
      const id = String(router?.id);
      const behind = (address: string) => ask({ 'X-Neutron-Router-ID': id, 'X-Forwarded-For': address });
      expect((await behind(addressOf(port))).status).toBe(404);
      const [subnet_id] = (await world.of('network').show(ADMIN, network)).subnets as string[];
      const call = { id, parameters: {}, body: { subnet_id }, revision: undefined };
      await world.of('router').act(ADMIN, 'add_router_interface', call);
      expect((await behind(addressOf(port))).status).toBe(200);
      expect(nova.saw.map(({ headers }) => headers['x-instance-id'])).toEqual(['vm-1', 'vm-1']);
    });

    it('reports to the server', async () => {
      await (await agent()).reported;
      const [found] = await world
        .of('agent')
        .list(ADMIN, { filters: { agent_type: ['Metadata agent'] }, sorts: [], pageReverse: false });
      expect(found).toMatchObject({
        ...{ host: 'h1', binary: 'neutron-metadata-agent', topic: 'N/A', alive: true, availability_zone: null },
        configurations: {
          metadata_proxy_socket: socketPath(),
          nova_metadata_host: '127.0.0.1',
          nova_metadata_port: nova.port,
          log_agent_heartbeats: false,
        },
      });
    });
  });
});

describe('the metadata agent', () => {
  beforeEach(() => setUp());

  it('refuses with 404 what names no machine, and does not ask Nova', async () => {
    await agent();
    const address = addressOf(await machine());
    await world.port(network, { fixed_ips: [{ ip_address: '10.0.0.77' }] });
    const other = await world.network();
    const refused = [
      { 'X-Neutron-Network-ID': network, 'X-Neutron-Router-ID': other, 'X-Forwarded-For': address },
      { 'X-Neutron-Network-ID': [network, network], 'X-Forwarded-For': address },
      { 'X-Neutron-Network-ID': other, 'X-Forwarded-For': address },
      { 'X-Neutron-Router-ID': network, 'X-Forwarded-For': address },
      { 'X-Neutron-Network-ID': network, 'X-Forwarded-For': '10.0.0.77' },
      { 'X-Neutron-Network-ID': network, 'X-Forwarded-For': '10.0.1.99' },
      { 'X-Neutron-Network-ID': network, 'X-Forwarded-For': `${address}, 10.0.1.99` },
      { 'X-Neutron-Network-ID': network, 'X-Forwarded-For': '999.0.0.1' },
      { 'X-Neutron-Network-ID': network },
      { 'X-Forwarded-For': address },
      { 'X-Neutron-Network-ID': "x' or 1=1 --", 'X-Forwarded-For': address },
    ];
    for (const headers of refused)
      expect(await ask(headers), JSON.stringify(headers)).toMatchObject({ status: 404, text: '404 Not Found\n' });
    expect(nova.saw).toEqual([]);
    expect(kept.at('warn')).toEqual([]);
  });

  it('passes methods, bodies and targets on, within bounds', async () => {
    await agent();
    const address = addressOf(await machine());
    const path = '/openstack/2013-10-17/password';
    expect((await asks(address, path, { method: 'POST', body: 'geheim' })).status).toBe(200);
    expect(await asks(address, 'http://169.254.169.254/x?y', {})).toMatchObject({ status: 200, text: '/x?y' });
    expect(await asks(address, 'http://169.254.169.254?y', {})).toMatchObject({ status: 200, text: '/?y' });
    expect(await asks(address, '/x', { method: 'HEAD' })).toMatchObject({ status: 200, text: '' });
    expect(nova.saw.map(({ method, url, body }) => [method, url, body])).toEqual([
      ['POST', path, 'geheim'],
      ['GET', '/x?y', ''],
      ['GET', '/?y', ''],
      ['HEAD', '/x', ''],
    ]);
    expect((await asks(address, path, { method: 'POST', body: 'x'.repeat(70_000) })).status).toBe(413);
    expect((await asks(address, '/x', { method: 'TRACE' })).status).toBe(405);
    expect((await asks(address, '*', { method: 'OPTIONS' })).status).toBe(400);
    expect((await asks(address, `/${'x'.repeat(100_000)}`)).status).toBe(400);
    expect(nova.saw).toHaveLength(4);
  });

  it.each([
    [400, 400],
    [403, 403],
    [404, 404],
    [409, 409],
    [418, 500],
    [302, 500],
    [500, 500],
    [502, 502],
    [503, 503],
    [504, 504],
  ])('answers %i of Nova with %i, without its text', async (status, expected) => {
    await agent();
    const address = addressOf(await machine());
    nova.answer((_, res) => sendText(res, status, 'secret stack trace'));
    const reply = await asks(address);
    expect(reply.status).toBe(expected);
    expect(reply.text).not.toContain('secret');
    expect(kept.at('warn').join()).toMatch(status === 403 ? /metadata_proxy_shared_secret must equal/ : /^$/);
  });

  it('asks the server again if Nova does not know the instance: another machine may have the address by now', async () => {
    await agent();
    const port = await machine();
    const address = addressOf(port);
    expect((await asks(address)).status).toBe(200);
    await world.deletePort(port.id);
    await machine({ device_id: 'vm-2', fixed_ips: [{ ip_address: address }] });
    nova.answer((saw, res) => sendText(res, saw.headers['x-instance-id'] === 'vm-2' ? 200 : 404, 'x'));
    await expect.poll(async () => (await asks(address)).status, { timeout: 10_000 }).toBe(200);
    expect(nova.saw.at(-1)?.headers).toMatchObject({ 'x-instance-id': 'vm-2', 'x-tenant-id': 'p1' });
  });

  it('streams answers, and breaks off where Nova does', async () => {
    await agent();
    const address = addressOf(await machine());
    nova.answer((_, res) => void res.end('x'.repeat(1_000_000)));
    expect((await asks(address)).text).toHaveLength(1_000_000);
    nova.answer((_, res) => {
      res.writeHead(200, { 'content-length': 100 }).write('x');
      setImmediate(() => res.destroy());
    });
    await expect(asks(address)).rejects.toMatchObject({ code: 'ECONNRESET' });
    nova.answer((_, res) => sendText(res, 200, 'again'));
    expect((await asks(address)).text).toBe('again');
  });

  it('answers 503 while Nova is away, logs it once, and answers again by itself', async () => {
    const { port } = nova;
    await agent();
    const address = addressOf(await machine());
    await nova.close();
    expect((await asks(address)).status).toBe(503);
    expect((await asks(address)).status).toBe(503);
    nova = await startNova({ port });
    close.push(() => nova.close());
    expect((await asks(address)).status).toBe(200);
    expect(kept.at('info')).toEqual([
      expect.stringMatching(/^Nova's metadata API at http:\/\/127\.0\.0\.1:\d+ cannot be reached: .*ECONNREFUSED/),
      "Nova's metadata API answers again",
    ]);
  });

  it('answers 503 while no server answers', async () => {
    await agent({ rpc_response_timeout: 1 });
    await world.close();
    close = close.slice(0, -1);
    expect((await asks('10.0.0.5')).status).toBe(503);
    expect(kept.at('warn').join()).toContain('the server cannot be asked for ports');
  });

  it('replaces the socket of a killed agent, and nothing else', async () => {
    const first = await agent({ metadata_proxy_socket_mode: 'all' });
    expect(statSync(socketPath()).mode & 0o777).toBe(0o666);
    await expect(agent()).rejects.toThrow(/metadata_proxy: another process serves it/);
    await first.close();
    expect(statSync(socketPath(), { throwIfNoEntry: false })).toBeUndefined();
    writeFileSync(socketPath(), 'x');
    await expect(agent()).rejects.toThrow(/metadata_proxy: there is something else/);
    rmSync(socketPath());
    // A socket without a listener, as a killed process leaves it: libuv would remove its own.
    const dead = createServer();
    await new Promise<void>((resolve) => dead.listen(`${socketPath()}.x`, resolve));
    renameSync(`${socketPath()}.x`, socketPath());
    await new Promise((resolve) => dead.close(resolve));
    expect(statSync(socketPath()).isSocket()).toBe(true);
    await agent();
    expect((await asks('10.0.1.99')).status).toBe(404);
  });
});
