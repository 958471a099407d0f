import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Logger, pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MetadataProxies } from '../../../../src/agents/dhcp/metadata/contract.ts';
import { showProcess } from '../../../../src/linux/processes.ts';
import { waitFor } from '../../../../src/time/wait.ts';
import { type ProxyConfig, ProxySite } from './proxy-site.ts';

export interface Implementation {
  readonly name: string;
  /** Why it cannot run here. */
  readonly obstacle: string | undefined;
  create(parts: { readonly config: ProxyConfig; readonly log: Logger }): MetadataProxies;
  /** What it logs while the metadata agent is away, and when it is back; machines may ask often. */
  readonly outage: readonly RegExp[];
  /** The process that serves a network or router. */
  pid(config: ProxyConfig, id: string): number;
}

/** What every implementation of the metadata proxies does. */
export function describeProxies({ name, obstacle, outage, create, pid }: Implementation): void {
  describe.skipIf(obstacle !== undefined)(`${name}${obstacle ? `: ${obstacle}` : ''}`, () => {
    let site: ProxySite;
    const open: MetadataProxies[] = [];
    const logged: string[] = [];
    const proxies = (): MetadataProxies => {
      const made = create({ config: site.config, log: pino({}, { write: (line) => void logged.push(line) }) });
      open.push(made);
      return made;
    };
    const pidOf = (id: string) => pid(site.config, id);
    beforeEach(async () => {
      site = await ProxySite.make();
    });
    afterEach(async () => {
      const last = proxies();
      for (const one of open.splice(0)) await one.close();
      await last.stop(site.networkId);
      await last.close();
      await site.remove();
    });

    it("passes requests on with the network's id and the machine's address, on IPv4 and IPv6", async () => {
      await proxies().serve(site.wanted());
      const spoofed = { 'X-Neutron-Network-ID': 'x', 'X-Neutron-Router-ID': 'y', 'X-Forwarded-For': '10.0.0.66' };
      const seen = await site.headers('169.254.169.254', spoofed);
      expect(seen).toMatchObject({ 'x-neutron-network-id': site.networkId });
      expect(seen['x-neutron-router-id']).toBeUndefined();
      expect(String(seen['x-forwarded-for']).split(', ').at(-1)).toBe('169.254.169.254');
      const six = await site.headersOverIpv6(spoofed);
      expect(six['x-neutron-network-id']).toBe(site.networkId);
      expect(String(six['x-forwarded-for']).split(', ').at(-1)).toMatch(/^fe80::[0-9a-f:]+$/);
    });

    it('passes methods, bodies, errors, and answers of any length on', async () => {
      await site.stopAgent();
      const chunk = Buffer.alloc(1024 * 1024, 'x');
      await site.startAgent((req, res) => {
        if (req.method === 'GET') {
          res.writeHead(200);
          let left = 20;
          const more = (): void => {
            if (left-- === 0) res.end();
            else res.write(chunk, more);
          };
          more();
          return;
        }
        req.setEncoding('utf8');
        let body = '';
        req.on('data', (text) => {
          body += text;
        });
        req.on('end', () => res.writeHead(409, { 'x-seen': 'yes' }).end(`${req.method} ${req.url} ${body}`));
      });
      await proxies().serve(site.wanted());
      expect(await site.get(undefined, '-d', 'password')).toEqual({ status: 409, text: 'POST /x password' });
      const chunked = ['-d', 'p', '-X', 'PUT', '-H', 'Transfer-Encoding: chunked'];
      expect(await site.get(undefined, ...chunked)).toEqual({ status: 409, text: 'PUT /x p' });
      expect((await site.get()).text).toHaveLength(20 * chunk.length);
      expect((await site.get(undefined, '-I')).text).toContain('HTTP/1.1 409 Conflict');
    });

    it('answers 503 while the metadata agent is away, and says so once', async () => {
      await proxies().serve(site.wanted());
      await site.stopAgent();
      logged.length = 0;
      const ask = async () => (await Promise.all([site.get(), site.get()])).map(({ status }) => status);
      expect(await ask()).toEqual([503, 503]);
      await site.startAgent();
      expect(await ask()).toEqual([200, 200]);
      expect(logged).toEqual(outage.map((text) => expect.stringMatching(text)));
    });

    it('outlives its agent and is adopted; a change of the router needs no restart of the namespace', async () => {
      const first = proxies();
      await first.serve(site.wanted());
      const before = pidOf(site.networkId);
      await first.serve(site.wanted());
      await first.close();
      expect((await site.get()).status).toBe(200);
      const second = proxies();
      await second.serve(site.wanted());
      expect(pidOf(site.networkId)).toBe(before);
      const routerId = randomUUID();
      await second.serve(site.wanted({ routerId }));
      const seen = await site.headers(undefined, { 'X-Neutron-Network-ID': 'x' });
      expect(seen).toMatchObject({ 'x-neutron-router-id': routerId });
      expect(seen['x-neutron-network-id']).toBeUndefined();
      await second.close();
      const third = proxies();
      await third.serve(site.wanted({ routerId }));
      expect(await third.stop(site.networkId)).toMatch(/\d+$/);
      expect(files(site)).toEqual([]);
    });

    it('loses no request while agents come and go', async () => {
      let agent = proxies();
      await agent.serve(site.wanted());
      const script = `
        const { get } = require('node:http');
        const ask = () => new Promise((resolve) => get('http://169.254.169.254/x', { agent: false }, (res) => {
          res.resume().on('end', () => resolve(res.statusCode));
        }).on('error', (error) => resolve(error.code)));
        (async () => {
          const seen = {};
          for (let i = 0; i < 300; i++) { const status = await ask(); seen[status] = (seen[status] ?? 0) + 1; }
          console.log(JSON.stringify(seen));
        })();`;
      const asked = site.inside(process.execPath, '-e', script);
      for (let i = 0; i < 3; i++) {
        await agent.close();
        agent = proxies();
        await agent.serve(site.wanted());
      }
      expect(JSON.parse(await asked)).toEqual({ 200: 300 });
    });

    it('is back after a kill, and is removed with its files', async () => {
      const one = proxies();
      one.onDeath(() => void one.serve(site.wanted()));
      await one.serve(site.wanted());
      const before = pidOf(site.networkId);
      process.kill(before, 'SIGKILL');
      const again = () => existsSync(site.folder) && site.get('169.254.169.254', '-m', '1').catch(() => undefined);
      expect(await waitFor('an answer after the kill', again, 10_000)).toMatchObject({ status: 200 });
      const now = pidOf(site.networkId);
      expect(now).not.toBe(before);
      expect(await one.stop(site.networkId)).toMatch(new RegExp(`${now}$`));
      await waitFor('its end', async () => !(await showProcess(now)), 5_000);
      expect(files(site)).toEqual([]);
      expect(await one.stop(site.networkId)).toBeUndefined();
    });

    it('listens on the device that replaced a deleted one of the same name', async () => {
      const one = proxies();
      await one.serve(site.wanted());
      await site.removeDevice();
      await site.makeDevice();
      await one.serve(site.wanted());
      expect(await site.headersOverIpv6()).toMatchObject({ 'x-neutron-network-id': site.networkId });
    });

    it('listens on the IPv6 address of each link', async () => {
      await site.inside('ip', 'addr', 'add', 'fe80::a9fe:a9fe/128', 'dev', 'dev1', 'nodad');
      await proxies().serve(site.wanted({ devices: ['dev0', 'dev1'] }));
      expect(await site.headersOverIpv6()).toMatchObject({ 'x-neutron-network-id': site.networkId });
      expect((await site.get('fe80::a9fe:a9fe%25dev1')).status).toBe(200);
    });

    it.each<[string, readonly string[], readonly number[], readonly number[]]>([
      ['IPv4', ['4'], [200, 200, 200, 429, 429], [200, 200, 200, 200, 200]],
      ['both', ['4', '6'], [200, 200, 200, 429, 429], [200, 200, 200, 429, 429]],
    ])('limits the requests of a machine: %s', async (_, ip_versions, over4, over6) => {
      const windows = { base_window_duration: 60, base_query_rate_limit: 3, burst_query_rate_limit: 100 };
      const metadata_rate_limiting = {
        ...{ ...site.config.metadata_rate_limiting, ...windows },
        ...{ rate_limit_enabled: true, ip_versions },
      };
      site.config = { ...site.config, metadata_rate_limiting };
      await proxies().serve(site.wanted());
      const statuses = async (host?: string) => {
        const seen: number[] = [];
        for (let i = 0; i < 5; i++) seen.push((await site.get(host)).status);
        return seen;
      };
      expect(await statuses()).toEqual(over4);
      await waitFor(
        'the IPv6 address',
        async () => !(await site.inside('ip', '-6', 'addr')).includes('tentative'),
        10_000,
      );
      expect(await statuses('fe80::a9fe:a9fe%25dev0')).toEqual(over6);
    });
  });
}

/** The files of proxies that are left. */
function files({ folder, config }: ProxySite): readonly string[] {
  const folders = [join(folder, 'ns-metadata-proxy'), config.DEFAULT.external_pids];
  return folders.flatMap((one) => (existsSync(one) ? readdirSync(one) : []));
}
