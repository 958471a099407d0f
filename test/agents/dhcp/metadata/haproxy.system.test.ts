import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { HaproxyProxies, haproxyFiles } from '../../../../src/agents/dhcp/metadata/haproxy.ts';
import { endProcess, isAlive } from '../../../../src/linux/processes.ts';
import { describeProxies } from './proxies-contract.ts';
import { type ProxyConfig, ProxySite } from './proxy-site.ts';

const obstacle =
  process.getuid?.() !== 0
    ? 'needs root'
    : existsSync('/usr/sbin/haproxy')
      ? undefined
      : 'haproxy is missing (Debian package haproxy)';
const pid = ({ DEFAULT }: ProxyConfig, id: string) => Number(readFileSync(haproxyFiles(DEFAULT, id).pid, 'utf8'));

describeProxies({
  name: 'a haproxy for each network',
  obstacle,
  // It logs to syslog.
  outage: [],
  create: (parts) => new HaproxyProxies(parts),
  pid,
});

describe.skipIf(obstacle !== undefined)(`a network's haproxy${obstacle ? `: ${obstacle}` : ''}`, () => {
  it("has its router's files on a metadata network, and is found by them", async () => {
    const site = await ProxySite.make();
    const [first, second] = [1, 2].map(
      () => new HaproxyProxies({ config: site.config, log: pino({ level: 'silent' }) }),
    );
    const there = (id: string) => Object.values(haproxyFiles(site.config.DEFAULT, id)).map(existsSync);
    const routerId = randomUUID();
    try {
      await first?.serve(site.wanted());
      const before = pid(site.config, site.networkId);
      await first?.serve(site.wanted({ routerId }));
      expect([there(site.networkId), there(routerId)]).toEqual([
        [false, false],
        [true, true],
      ]);
      expect(await isAlive(before)).toBe(false);
      const other = { ...site.wanted({ routerId }), networkId: randomUUID() };
      await expect(first?.serve(other)).rejects.toThrow(`its haproxy is on network ${site.networkId} already`);
      const now = pid(site.config, routerId);
      expect(await second?.stop(site.networkId)).toBe(`haproxy ${now}`);
      expect(there(routerId)).toEqual([false, false]);
    } finally {
      for (const one of [first, second]) await one?.close();
      await site.remove();
    }
  });

  it('is not mistaken for another process whose id is in the pid file', async () => {
    const site = await ProxySite.make();
    const one = new HaproxyProxies({ config: site.config, log: pino({ level: 'silent' }) });
    try {
      await one.serve(site.wanted());
      await endProcess(pid(site.config, site.networkId));
      writeFileSync(haproxyFiles(site.config.DEFAULT, site.networkId).pid, `${process.pid}\n`);
      expect(await one.stop(site.networkId)).toBeUndefined();
    } finally {
      await one.close();
      await site.remove();
    }
  });
});
