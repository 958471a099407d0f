import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PortDocument } from '../../../../../src/rpc/documents.ts';
import { isRoot, World } from './world.ts';

/**
 * dnsmasq 2.86 to 2.90 ends at a reload after it has answered a host with a tag (version.ts). A port has a tag if it has
 * extra_dhcp_opts.
 */
describe.skipIf(!isRoot)('a network whose ports have options of their own (needs root)', () => {
  let world: World;
  beforeEach(async () => {
    world = await World.create();
  });
  afterEach(() => world.close());

  const port = (n: number, file = `boot-${n}`, more: Partial<PortDocument> = {}) =>
    world.port(n, {
      extra_dhcp_opts: [{ opt_name: 'bootfile-name', opt_value: file, ip_version: 4 }],
      dns_assignment: [{ ip_address: `10.0.0.${n}`, hostname: `vm-${n}`, fqdn: `vm-${n}.openstacklocal.` }],
      ...more,
    });
  const ask = async (n: number) => (await world.client(n)).ask(['-O', 'bootfile']);

  test('takes added ports without a restart, after hosts were answered', async () => {
    const driver = world.driver();
    await driver.serve(world.wanted([port(11)]));
    expect(await ask(11)).toMatchObject({ ip: '10.0.0.11', bootfile: 'boot-11' });
    const pid = await world.pid();
    for (const n of [12, 13, 14]) {
      await driver.portsChanged(world.id, { set: [port(n)], removed: [] });
      expect(await ask(n)).toMatchObject({ ip: `10.0.0.${n}`, bootfile: `boot-${n}`, hostname: `vm-${n}` });
    }
    expect(await ask(11)).toMatchObject({ ip: '10.0.0.11', bootfile: 'boot-11' });
    expect(await world.pid()).toBe(pid);
    expect(await readdir(join(world.folder, 'added', 'host'))).toEqual(['1', '2', '3']);

    // An agent that starts again adopts it, and then takes everything else.
    const next = world.driver();
    await next.serve(world.wanted([11, 12, 13, 14].map((n) => port(n))));
    expect(await world.pid()).toBe(pid);
    await next.portsChanged(world.id, { set: [port(13, 'other')], removed: [port(12).id] });
    expect(await world.pid()).not.toBe(pid);
    expect(await ask(13)).toMatchObject({ ip: '10.0.0.13', bootfile: 'other' });
    expect(await ask(12)).toBeUndefined();
    expect(await readdir(join(world.folder, 'added', 'host'))).toEqual([]);
    expect((await world.read('log')).match(/duplicate/i)).toBeNull();
  });
});
