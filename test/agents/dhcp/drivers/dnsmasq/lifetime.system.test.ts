import { once } from 'node:events';
import { access, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DhcpDriver } from '../../../../../src/agents/dhcp/contract.ts';
import { filesOf } from '../../../../../src/agents/dhcp/drivers/dnsmasq/command-line.ts';
import { isHandOver } from '../../../../../src/agents/dhcp/drivers/dnsmasq/hand-over.ts';
import { renderNetwork } from '../../../../../src/agents/dhcp/drivers/dnsmasq/render.ts';
import { findByArgument } from '../../../../../src/agents/dhcp/drivers/dnsmasq/server-process.ts';
import type { WantedNetwork } from '../../../../../src/agents/dhcp/wanted.ts';
import { endProcess, isAlive, showProcess } from '../../../../../src/linux/processes.ts';
import { waitFor } from '../../../../../src/time/wait.ts';
import { isRoot, World } from './world.ts';

/** Longer than a death may go unnoticed. */
const NOTICED_MS = 5_000;

describe.skipIf(!isRoot)('the life of dnsmasq and of the agent (needs root)', () => {
  let world: World;
  beforeEach(async () => {
    world = await World.create();
  });
  afterEach(() => world.close());

  const servers = async () => (await findByArgument()).get(join(world.folder, 'pid')) ?? [];
  const deathOf = (driver: DhcpDriver) => new Promise<string>((resolve) => driver.onDeath(resolve));
  const texts = async () =>
    Promise.all(['host', 'addn_hosts', 'opts', 'leases', 'loaded'].map((file) => world.read(file)));

  describe('an agent that starts again', () => {
    test('adopts a running dnsmasq: same process, not told of anything, no file touched', async () => {
      const ports = [world.port(11), world.port(12)];
      const first = world.driver();
      await first.serve(world.wanted(ports));
      await first.close();
      const pid = await world.pid();
      const before = await Promise.all((await readdir(world.folder)).map((file) => stat(join(world.folder, file))));

      await world.driver().serve(world.wanted(ports));
      expect(await world.pid()).toBe(pid);
      expect(await world.reads()).toBe(1);
      const after = await Promise.all((await readdir(world.folder)).map((file) => stat(join(world.folder, file))));
      expect(after.map(({ ino, mtimeMs }) => [ino, mtimeMs])).toEqual(before.map(({ ino, mtimeMs }) => [ino, mtimeMs]));
    });

    test('tells an adopted dnsmasq of what changed meanwhile', async () => {
      await world.driver().serve(world.wanted([world.port(11)]));
      const pid = await world.pid();
      await world.driver().serve(world.wanted([world.port(12)]));
      expect(await world.pid()).toBe(pid);
      expect((await (await world.client(12)).ask())?.ip).toBe('10.0.0.12');
    });

    test('notices the death of an adopted dnsmasq', async () => {
      await world.driver().serve(world.wanted([world.port(11)]));
      const driver = world.driver();
      await driver.serve(world.wanted([world.port(11)]));
      const death = deathOf(driver);
      process.kill(await world.pid(), 'SIGKILL');
      expect(await waitFor('word of the death', death, NOTICED_MS)).toBe(world.id);
    });

    test('restarts a dnsmasq that serves a namespace which has been made anew', async () => {
      await world.driver().serve(world.wanted([world.port(11)]));
      const pid = await world.pid();
      await world.dropNamespace();
      await world.makeNamespace();
      await world.driver().serve(world.wanted([world.port(11)]));
      expect(await isAlive(pid)).toBe(false);
      expect((await (await world.client(11)).ask())?.ip).toBe('10.0.0.11');
    });

    test('leaves a stranger alone whose number is in the pid file', async () => {
      const driver = world.driver();
      await driver.serve(world.wanted([world.port(11)]));
      await endProcess(await world.pid());
      const stranger = world.spawn(['sleep', '1000']);
      await writeFile(join(world.folder, 'pid'), `${stranger.pid}\n`);
      await world.driver().serve(world.wanted([world.port(11)]));
      expect(await isAlive(stranger.pid ?? 0)).toBe(true);
      expect((await (await world.client(11)).ask())?.ip).toBe('10.0.0.11');
      await writeFile(join(world.folder, 'pid'), `${stranger.pid}\n`);
      await world.driver().stop(world.id);
      expect(await isAlive(stranger.pid ?? 0)).toBe(true);
      expect(await servers()).toEqual([]);
    });
  });

  describe('a dnsmasq that dies', () => {
    test('is reported once, and comes back with the leases it had', async () => {
      const driver = world.driver();
      const deaths: string[] = [];
      driver.onDeath((id) => deaths.push(id));
      await driver.serve(world.wanted([world.port(11)]));
      const client = await world.client(11);
      await client.boot();
      process.kill(await world.pid(), 'SIGKILL');
      await waitFor('word of the death', () => deaths.length > 0, NOTICED_MS);
      await driver.serve(world.wanted([world.port(11)]));
      const { events, told } = await client.renew();
      expect([events, told.ip]).toEqual([['renew'], '10.0.0.11']);
      expect(deaths).toEqual([world.id]);
    });

    test('does not die of a reload after it has answered a port with options of its own', async () => {
      const driver = world.driver();
      const deaths: string[] = [];
      driver.onDeath((id) => deaths.push(id));
      const own = { extra_dhcp_opts: [{ opt_name: 'mtu', opt_value: '1300', ip_version: 4 as const }] };
      await driver.serve(world.wanted([world.port(11, own)]));
      const client = await world.client(11);
      expect((await client.boot()).mtu).toBe('1300');
      const other = { extra_dhcp_opts: [{ opt_name: 'mtu', opt_value: '1280', ip_version: 4 as const }] };
      await driver.serve(world.wanted([world.port(11, other), world.port(12)]));
      const { events, told } = await client.renew();
      expect([events, told.ip, told.mtu]).toEqual([['renew'], '10.0.0.11', '1280']);
      await driver.serve(world.wanted([world.port(11)]));
      expect((await client.renew()).told.mtu).toBe('1450');
      expect(deaths).toEqual([]);
    });

    test('of one network disturbs no other', async () => {
      const driver = world.driver();
      await driver.serve(world.wanted([world.port(11)]));
      const other = await World.create();
      try {
        const second = { ...other.wanted([other.port(11)]) };
        await driver.serve(second);
        const death = deathOf(driver);
        process.kill(await world.pid(), 'SIGKILL');
        expect(await waitFor('word of the death', death, NOTICED_MS)).toBe(world.id);
        expect((await (await other.client(11)).ask())?.ip).toBe('10.0.0.11');
        await driver.stop(other.id);
      } finally {
        await other.close();
      }
    });
  });

  describe('stop', () => {
    test('ends dnsmasq and removes the folder; that is no death; twice is no error', async () => {
      const driver = world.driver();
      const deaths: string[] = [];
      driver.onDeath((id) => deaths.push(id));
      await driver.serve(world.wanted([world.port(11)]));
      expect(await driver.known()).toEqual([world.id]);
      const pid = await world.pid();
      await driver.stop(world.id);
      expect(await isAlive(pid)).toBe(false);
      await expect(access(world.folder)).rejects.toThrow('ENOENT');
      expect(await driver.known()).toEqual([]);
      await driver.stop(world.id);
      // The watch has looked at least once since.
      const other = await World.create();
      try {
        await driver.serve(other.wanted([]));
        process.kill(Number(await readFile(join(world.state, 'dhcp', other.id, 'pid'), 'utf8')), 'SIGKILL');
        await waitFor('word of the other death', () => deaths.length > 0, NOTICED_MS);
        expect(deaths).toEqual([other.id]);
      } finally {
        await driver.stop(other.id);
        await other.close();
      }
    });

    test('a network whose last DHCP subnet is gone is served no more', async () => {
      const driver = world.driver();
      await driver.serve(world.wanted([world.port(11)]));
      const off = world.subnet('s1', '10.0.0.0/24', { enable_dhcp: false });
      await driver.serve(world.wanted([world.port(11)], { subnets: [off] }));
      expect(await servers()).toEqual([]);
      expect(await driver.known()).toEqual([]);
    });

    test('refuses what is no id', async () => {
      await expect(world.driver().stop('..')).rejects.toThrow(/id "\.\.": must be/);
    });
  });

  describe('killed in the middle, the next agent goes on', () => {
    const eleven = () => world.wanted([world.port(11)]);
    const twelve = () => world.wanted([world.port(12)]);

    const writeTexts = async (wanted: WantedNetwork) => {
      const files = filesOf(world.id, world.config().DEFAULT);
      const made = renderNetwork(wanted.info, world.config(), { ownPortId: wanted.dhcpPortId });
      for (const [path, text] of [
        [files.host, made.host],
        [files.addnHosts, made.addnHosts],
        [files.opts, made.opts],
      ] as const) {
        await writeFile(path, text);
      }
    };

    test('after the files were written and before dnsmasq was told', async () => {
      await world.driver().serve(eleven());
      await writeTexts(twelve());
      await world.driver().serve(twelve());
      expect(await world.reads()).toBe(2);
      expect((await (await world.client(12)).ask())?.ip).toBe('10.0.0.12');
    });

    test('after some of the files were written, and half of the next one', async () => {
      await world.driver().serve(eleven());
      await writeFile(join(world.folder, 'opts'), 'tag:subnet-s1,option:router,10.0.0.9\n');
      await writeFile(join(world.folder, 'host.new'), 'fa:16:3e');
      await world.driver().serve(eleven());
      expect((await (await world.client(11)).ask())?.router).toBe('10.0.0.1');
    });

    test('after dnsmasq was told and before that was written down', async () => {
      const driver = world.driver();
      await driver.serve(eleven());
      const loaded = await world.read('loaded');
      await driver.serve(twelve());
      await writeFile(join(world.folder, 'loaded'), loaded);
      await world.driver().serve(twelve());
      expect((await (await world.client(12)).ask())?.ip).toBe('10.0.0.12');
    });

    test('after dnsmasq was told and before the lease of a vanished port was released', async () => {
      await world.driver().serve(eleven());
      await (await world.client(11)).ask();
      await writeTexts(twelve());
      const pid = await world.pid();
      process.kill(pid, 'SIGHUP');
      await waitFor('dnsmasq reading its files', async () => (await world.reads()) === 2, 5_000);
      await world.driver().serve(twelve());
      expect(await world.read('leases')).not.toContain('10.0.0.11');
      expect(await world.pid()).toBe(pid);
    });

    test('while dnsmasq started, before it wrote its pid file', async () => {
      await world.driver().serve(eleven());
      const running = await showProcess(await world.pid());
      await endProcess(await world.pid());
      await rm(join(world.folder, 'pid'), { force: true });
      // Takes its time before it becomes dnsmasq.
      world.spawn([
        'nsenter',
        `--net=/run/netns/${world.namespace}`,
        'sh',
        '-c',
        'sleep 0.3; exec "$@"',
        'sh',
        ...(running?.command ?? []),
      ]);
      await waitFor('the start', async () => (await servers()).length > 0, 5_000);
      await world.driver().serve(eleven());
      expect((await servers()).map(({ pid }) => pid)).toEqual([await world.pid()]);
      expect(await world.reads()).toBe(3);
    });

    test('and the pid file is lost: never two of them', async () => {
      await world.driver().serve(eleven());
      const client = await world.client(11);
      await client.boot();
      await rename(join(world.folder, 'pid'), join(world.folder, 'elsewhere'));
      await world.driver().serve(eleven());
      expect((await servers()).map(({ pid }) => pid)).toEqual([await world.pid()]);
      expect((await client.renew()).events).toEqual(['renew']);
    });

    describe('while one dnsmasq was to follow another', () => {
      /** Starts an agent that wants another MTU, and kills it once the next dnsmasq is due: the running one hangs so long. */
      const killAtHandOver = async () => {
        await world.driver().serve(eleven());
        process.kill(await world.pid(), 'SIGSTOP');
        const file = join(world.state, 'states.json');
        await writeFile(file, JSON.stringify({ config: world.config(), states: [jumbo()] }));
        const agent = world.spawn([process.execPath, new URL('./agent-process.ts', import.meta.url).pathname, file]);
        const ended = once(agent, 'exit');
        await waitFor('the hand-over', async () => (await servers()).some(isHandOver), 20_000);
        agent.kill('SIGKILL');
        await ended;
      };
      const jumbo = () => world.wanted([world.port(11)], { mtu: 9000 });

      test('the next one comes without an agent, and answers as it should', async () => {
        await killAtHandOver();
        await waitFor('the next dnsmasq', async () => (await world.reads()) === 2, 20_000);
        const told = await (await world.client(11)).ask();
        expect([told?.ip, told?.mtu]).toEqual(['10.0.0.11', '9000']);
      });

      test('an agent that comes back meanwhile waits for it: there are never two', async () => {
        await killAtHandOver();
        await world.driver().serve(jumbo());
        expect((await servers()).map(({ pid }) => pid)).toEqual([await world.pid()]);
        expect((await (await world.client(11)).ask())?.mtu).toBe('9000');
      });
    });

    test('while a network was being stopped', async () => {
      await mkdir(world.folder, { recursive: true });
      await writeFile(join(world.folder, 'host'), '');
      const driver = world.driver();
      expect(await driver.known()).toEqual([world.id]);
      await driver.stop(world.id);
      expect(await driver.known()).toEqual([]);
    });

    test('at any moment, over and over', async () => {
      const at = (k: number) => ({
        fixed_ips: [{ subnet_id: 's1', ip_address: `10.0.0.${100 + k}` }],
        status: 'ACTIVE',
      });
      const states = [0, 1, 2, 3].map((k) =>
        world.wanted([world.port(11, at(k)), world.port(12)], { mtu: 1400 + (k % 2) }),
      );
      const file = join(world.state, 'states.json');
      await writeFile(file, JSON.stringify({ config: world.config(), states }));
      const script = new URL('./agent-process.ts', import.meta.url).pathname;
      const client = await world.client(11);
      for (let round = 0; round < 10; round++) {
        const reads = round === 0 ? 0 : await world.reads();
        const agent = world.spawn([process.execPath, script, file]);
        const ended = once(agent, 'exit');
        await waitFor('the agent doing something', async () => (await world.reads().catch(() => 0)) > reads, 20_000);
        // Anywhere in a pass; no assertion hangs on how long this is.
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 60));
        agent.kill('SIGKILL');
        await ended;

        const k = round % 4;
        const driver = world.driver();
        await driver.serve(states[k] as WantedNetwork);
        await driver.close();
        // The process that a killed agent started lives until the one that it forked is ready.
        await expect.poll(async () => (await servers()).map(({ pid }) => pid)).toEqual([await world.pid()]);
        expect((await client.ask())?.ip).toBe(`10.0.0.${100 + k}`);
        const leases = (await world.read('leases')).trim().split('\n');
        expect(leases.map((line) => line.split(' ')[2])).toEqual([`10.0.0.${100 + k}`]);
        const settled = await texts();
        await world.driver().serve(states[k] as WantedNetwork);
        expect(await texts()).toEqual(settled);
      }
    });
  });

  describe('seeded leases', () => {
    test('a running machine renews at a dnsmasq that has no lease file', async () => {
      const driver = world.driver();
      const running = world.port(11, { status: 'ACTIVE' });
      await driver.serve(world.wanted([running, world.port(12)]));
      const client = await world.client(11);
      await client.boot();
      await driver.stop(world.id);
      await driver.serve(world.wanted([running, world.port(12)]));
      expect(await world.read('leases')).toMatch(/^\d+ fa:16:3e:00:00:0b 10\.0\.0\.11 \S+ \*\n$/);
      expect((await client.renew()).events).toEqual(['renew']);
    });

    test('never replace the leases there are', async () => {
      const driver = world.driver();
      await driver.serve(world.wanted([world.port(11)]));
      await (await world.client(11)).ask();
      const leases = await world.read('leases');
      await endProcess(await world.pid());
      await driver.serve(world.wanted([world.port(11), world.port(12, { status: 'ACTIVE' })]));
      expect(await world.read('leases')).toBe(leases);
    });

    test('a DHCPv6 lease goes when its address has gone to another MAC', async () => {
      const subnet = world.subnet('s6', 'fd00:1::/64', { ip_version: 6, ipv6_address_mode: 'dhcpv6-stateful' });
      const six = (n: number) => ({ fixed_ips: [{ subnet_id: 's6', ip_address: `fd00:1::${n}` }] });
      const subnets = [subnet];
      const driver = world.driver();
      await driver.serve(world.wanted([world.port(11, six(5)), world.port(12, six(6))], { subnets }));
      await endProcess(await world.pid());
      const kept = '1900000000 100 fd00:1::6 * 00:03:00:01:fa:16:3e:00:00:0c';
      await writeFile(
        join(world.folder, 'leases'),
        `duid 00:01:00:01:2c:3d:4e:5f:fa:16:3e:ff:00:01\n1900000000 99 fd00:1::5 * 00:03:00:01:fa:16:3e:00:00:0b\n${kept}\n`,
      );
      await driver.serve(world.wanted([world.port(11, six(5)), world.port(12, six(6))], { subnets }));
      const pid = await world.pid();
      expect(await world.read('leases')).toContain('fd00:1::5');
      await driver.serve(world.wanted([world.port(13, six(5)), world.port(12, six(6))], { subnets }));
      expect(await world.pid()).not.toBe(pid);
      expect(await world.read('leases')).not.toContain('fd00:1::5');
      expect(await world.read('leases')).toContain(kept);
    });
  });

  test('works on when its log was moved away, and when its whole folder was', async () => {
    const driver = world.driver();
    await driver.serve(world.wanted([world.port(11)]));
    await rename(join(world.folder, 'log'), join(world.folder, 'log.moved'));
    await driver.serve(world.wanted([world.port(12)]));
    expect((await (await world.client(12)).ask())?.ip).toBe('10.0.0.12');
    await rm(world.folder, { recursive: true });
    await driver.serve(world.wanted([world.port(12), world.port(13)]));
    expect((await (await world.client(13)).ask())?.ip).toBe('10.0.0.13');
    expect(await servers()).toHaveLength(1);
  });

  test('a start that fails says why, and the next one works', async () => {
    const driver = world.driver({ dnsmasq_config_file: join(world.state, 'dnsmasq.conf') });
    await writeFile(join(world.state, 'dnsmasq.conf'), 'no-such-option\n');
    await expect(driver.serve(world.wanted([world.port(11)]))).rejects.toThrow(/bad option at line 1/);
    await writeFile(join(world.state, 'dnsmasq.conf'), '');
    await driver.serve(world.wanted([world.port(11)]));
    expect((await (await world.client(11)).ask())?.ip).toBe('10.0.0.11');
  });

  test('close leaves dnsmasq serving and is deaf to deaths', async () => {
    const driver = world.driver();
    await driver.serve(world.wanted([world.port(11)]));
    await driver.close();
    expect((await (await world.client(11)).ask())?.ip).toBe('10.0.0.11');
  });
});
