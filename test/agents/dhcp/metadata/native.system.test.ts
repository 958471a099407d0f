import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { controlSocket, NativeProxies } from '../../../../src/agents/dhcp/metadata/native/native-proxies.ts';
import { nativeObstacle } from '../../../../src/linux/native.ts';
import { showProcess } from '../../../../src/linux/processes.ts';
import { waitFor } from '../../../../src/time/wait.ts';
import { describeProxies } from './proxies-contract.ts';
import { type ProxyConfig, ProxySite } from './proxy-site.ts';

const obstacle = process.getuid?.() !== 0 ? 'needs root' : nativeObstacle();
const pidOf = ({ DEFAULT }: ProxyConfig) => Number(readFileSync(`${controlSocket(DEFAULT)}.pid`, 'utf8'));

describeProxies({
  name: 'one process for all networks',
  obstacle,
  outage: [/cannot be reached, machines get no metadata/, /answers again/],
  create: (parts) => new NativeProxies(parts),
  pid: pidOf,
});

describe.skipIf(obstacle !== undefined)(`the process of the metadata proxies${obstacle ? `: ${obstacle}` : ''}`, () => {
  let site: ProxySite;
  let other: ProxySite;
  const logged: string[] = [];
  const open: NativeProxies[] = [];
  const proxies = (config: ProxyConfig = site.config): NativeProxies => {
    const log = pino({ level: 'info' }, { write: (line) => void logged.push(line) });
    const made = new NativeProxies({ config, log });
    open.push(made);
    return made;
  };
  beforeEach(async () => {
    [site, other] = [await ProxySite.make(), await ProxySite.make()];
    logged.length = 0;
  });
  afterEach(async () => {
    const last = proxies();
    for (const one of open.splice(0)) await one.close();
    for (const { networkId } of [site, other]) await last.stop(networkId);
    await last.close();
    for (const one of [site, other]) await one.remove();
  });
  const ended = (pid: number) => waitFor(`the end of ${pid}`, async () => !(await showProcess(pid)), 5_000);

  /** Requests of a machine, one after another, each on its own connection; returns how many had which status. */
  const many = async ({ inside }: ProxySite, requests: number, address = '169.254.169.254') => {
    const script = `
      const { get } = require('node:http');
      const ask = () => new Promise((resolve) => get('http://${address}/x', { agent: false }, (res) => {
        res.resume().on('end', () => resolve(res.statusCode));
      }).on('error', (error) => resolve(error.code)));
      (async () => {
        const seen = {};
        for (let i = 0; i < ${requests}; i++) { const status = await ask(); seen[status] = (seen[status] ?? 0) + 1; }
        console.log(JSON.stringify(seen));
      })();`;
    return JSON.parse(await inside(process.execPath, '-e', script)) as Record<string, number>;
  };

  it('serves all networks, and ends with the last one', async () => {
    const one = proxies();
    await one.serve(site.wanted());
    await one.serve(other.wanted());
    const pid = pidOf(site.config);
    expect((await site.headers())['x-neutron-network-id']).toBe(site.networkId);
    expect((await other.headers())['x-neutron-network-id']).toBe(other.networkId);
    expect(await one.stop(site.networkId)).toBeUndefined();
    await expect(site.get(undefined, '-m', '5')).rejects.toThrow('Failed to connect');
    expect((await other.get()).status).toBe(200);
    expect(await one.stop(other.networkId)).toBe(`metadata proxies ${pid}`);
    await ended(pid);
  });

  it('is replaced with all its networks, and without losing a request, when an agent has other settings', async () => {
    const first = proxies();
    await first.serve(site.wanted());
    await first.serve(other.wanted());
    const before = pidOf(site.config);
    await first.close();
    const asked = Promise.all([many(site, 400), many(other, 400)]);
    const limits = { ...site.config.metadata_rate_limiting, rate_limit_enabled: true, ip_versions: ['6'] };
    const second = proxies({ ...site.config, metadata_rate_limiting: limits });
    await second.serve(site.wanted());
    expect(pidOf(site.config)).not.toBe(before);
    expect(await asked).toEqual([{ 200: 400 }, { 200: 400 }]);
    await ended(before);
    expect((await other.get()).status).toBe(200);
  });

  it('finishes an answer that it has begun when it is replaced', async () => {
    await site.stopAgent();
    const { promise: finish, resolve } = Promise.withResolvers<void>();
    await site.startAgent((_req, res) => {
      res.write('begun ');
      void finish.then(() => res.end('and finished'));
    });
    const first = proxies();
    await first.serve(site.wanted());
    const before = pidOf(site.config);
    await first.close();
    const asked = site.get();
    await waitFor('the answer to begin', () => site.requests > 0, 5_000);
    const limits = { ...site.config.metadata_rate_limiting, rate_limit_enabled: true };
    await proxies({ ...site.config, metadata_rate_limiting: limits }).serve(site.wanted());
    expect(pidOf(site.config)).not.toBe(before);
    resolve();
    expect(await asked).toEqual({ status: 200, text: 'begun and finished' });
    await ended(before);
  });

  it('is started again with all networks, without a call of the agent, however it died', async () => {
    const one = proxies();
    await one.serve(site.wanted());
    await one.serve(other.wanted());
    const before = pidOf(site.config);
    process.kill(before, 'SIGKILL');
    const again = (at: ProxySite) =>
      waitFor('an answer', () => at.get(undefined, '-m', '1').catch(() => undefined), 5_000);
    expect((await again(site)).status).toBe(200);
    expect((await again(other)).status).toBe(200);
    // Without its files nobody could control it.
    const now = pidOf(site.config);
    rmSync(join(site.folder, 'ns-metadata-proxy'), { recursive: true });
    await ended(now);
    expect((await again(site)).status).toBe(200);
    expect(logged.filter((line) => line.includes('died; restarting it'))).toHaveLength(2);
  });

  it('is not started for each network while it cannot be started, and the reason is told', async () => {
    const folder = join(site.folder, 'ns-metadata-proxy');
    mkdirSync(join(folder, 'native'), { recursive: true });
    const one = proxies();
    const tries = await Promise.allSettled(Array.from({ length: 50 }, () => one.serve(site.wanted())));
    const reasons = new Set(tries.map((tried) => (tried.status === 'rejected' ? tried.reason : 'served')));
    expect(String([...reasons][0])).toMatch(/cannot be started: .*EISDIR/s);
    expect(reasons.size).toBeLessThan(5);
    rmSync(folder, { recursive: true });
    const serve = () =>
      one.serve(site.wanted()).then(
        () => true,
        () => false,
      );
    await waitFor('it to be started', serve, 20_000);
    expect((await site.get()).status).toBe(200);
  });

  it('leaves room for other networks when the machines of one open as many connections as they can', async () => {
    const one = proxies();
    await one.serve(site.wanted());
    await one.serve(other.wanted());
    const script = `
      const { connect } = require('node:net');
      let closed = 0;
      for (let i = 0; i < 1_100; i++)
        connect(80, '169.254.169.254').on('error', () => undefined).on('close', () => {
          if (++closed === 76) { console.log('bounded'); process.exit(); }
        });`;
    expect(await site.inside(process.execPath, '-e', script)).toBe('bounded\n');
    expect((await other.get()).status).toBe(200);
  });

  it('answers requests of one connection in order, and never begins with the second one before', async () => {
    await site.stopAgent();
    let running = 0;
    await site.startAgent((req, res) => {
      running += 1;
      setImmediate(() => {
        res.end(`${req.url} ${running} `);
        running -= 1;
      });
    });
    await proxies().serve(site.wanted());
    const script = `
      const socket = require('node:net').connect(80, '169.254.169.254');
      socket.write('GET /1 HTTP/1.1\\r\\n\\r\\nGET /2 HTTP/1.1\\r\\n\\r\\nGET /3 HTTP/1.0\\r\\n\\r\\n');
      socket.on('data', (data) => process.stdout.write(data));`;
    const text = await site.inside(process.execPath, '-e', script);
    expect(text.match(/\/\d \d/g)).toEqual(['/1 1', '/2 1', '/3 1']);
  });

  it('refuses requests with two framings, and with long headers', async () => {
    await proxies().serve(site.wanted());
    const ask = async (request: string) => {
      const script = `
        const socket = require('node:net').connect(80, '169.254.169.254').on('error', () => undefined);
        socket.end('${request}');
        socket.on('data', (data) => process.stdout.write(data));`;
      return (await site.inside(process.execPath, '-e', script)).slice(0, 12);
    };
    const length = 'Content-Length: 4\\r\\n';
    const end = '\\r\\n0\\r\\n\\r\\n';
    expect(await ask(`POST / HTTP/1.1\\r\\n${length}Transfer-Encoding: chunked\\r\\n${end}`)).toBe('HTTP/1.1 400');
    expect(await ask(`POST / HTTP/1.1\\r\\n${length}${length}${end}`)).toBe('HTTP/1.1 400');
    expect(await ask(`GET / HTTP/1.1\\r\\nX: ${'x'.repeat(20_000)}\\r\\n\\r\\n`)).toBe('HTTP/1.1 431');
    expect(site.requests).toBe(0);
  });

  it("passes a machine's headers on, but not those that only the proxy may set, nor a Connection that names them", async () => {
    await proxies().serve(site.wanted());
    const own = {
      'x-neutron-network-id': 'x',
      'X-NEUTRON-ROUTER-ID': 'y',
      'X-Forwarded-For': '10.0.0.9',
      Connection: 'X-Neutron-Network-ID, X-Forwarded-For, close',
      'X-Other': 'z',
    };
    expect(await site.headers(undefined, own)).toEqual({
      ...{ host: '169.254.169.254', accept: '*/*', connection: 'close', 'x-other': 'z' },
      'user-agent': expect.stringContaining('curl'),
      'x-forwarded-for': '169.254.169.254',
      'x-neutron-network-id': site.networkId,
    });
  });
});
