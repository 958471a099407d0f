import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { nativeObstacle } from '../../../../../src/linux/native.ts';
import { run } from '../../../../../src/linux/run.ts';
import type { PortDocument } from '../../../../../src/rpc/documents.ts';
import type { Renewals } from './renewals.worker.ts';
import { isRoot, macOf, World } from './world.ts';

/** NEUTRINO_TEST_BIG=1: a thousand ports and two hundred changes, for figures; it takes minutes. */
const [PORTS, CHANGES, CLIENTS] = process.env.NEUTRINO_TEST_BIG ? [1_000, 200, 60] : [100, 12, 20];
const RENEW_EVERY_MS = 10;

const KINDS = ['create', 'create', 'update', 'create', 'create', 'delete'] as const;
type Kind = (typeof KINDS)[number];

const addressOf = (n: number) => `10.0.${Math.floor(n / 250)}.${(n % 250) + 3}`;
const hex = (n: number) => n.toString(16).padStart(2, '0');
const macAt = (n: number) => `fa:16:3e:01:${hex(n >> 8)}:${hex(n & 255)}`;

describe.skipIf(!isRoot)('a large network whose ports all have options, with machines that renew (needs root)', () => {
  let world: World;
  beforeEach(async () => {
    world = await World.create();
  });
  afterEach(() => world.close());

  const port = (n: number, file = 'a'): PortDocument =>
    world.port(n, {
      mac_address: macAt(n),
      // Its lease is seeded.
      status: 'ACTIVE',
      fixed_ips: [{ subnet_id: 's1', ip_address: addressOf(n) }],
      extra_dhcp_opts: [{ opt_name: 'bootfile-name', opt_value: file, ip_version: 4 }],
    });

  /** Machines that renew; `stop` resolves to what became of their requests. */
  async function renewals(): Promise<{ stop(): Promise<Renewals> }> {
    const namespace = await world.machine(macOf(0xfe));
    const leases = Array.from({ length: CLIENTS }, (_, n) => `${addressOf(n)}=${macAt(n)}`);
    for (let n = 0; n < CLIENTS; n++)
      await run(['ip', '-n', namespace, 'addr', 'add', `${addressOf(n)}/16`, 'dev', 'eth0']);
    const program = [process.execPath, join(import.meta.dirname, 'renewals.worker.ts')];
    const child = spawn(
      'nsenter',
      [`--net=/run/netns/${namespace}`, ...program, '10.0.0.2', String(RENEW_EVERY_MS), ...leases],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    await lines.next();
    return {
      async stop() {
        child.stdin.end();
        return JSON.parse((await lines.next()).value ?? '');
      },
    };
  }

  test('added ports cause no restart, other changes one at most, and no machine has to ask twice', {
    timeout: 600_000,
  }, async () => {
    const driver = world.driver();
    const ports = Array.from({ length: PORTS }, (_, n) => port(n));
    await driver.serve(world.wanted(ports, { subnets: [world.subnet('s1', '10.0.0.0/16')] }));
    const machines = await renewals();
    const restarts = () => world.logged.filter(({ msg }) => String(msg).startsWith('dnsmasq restarts')).length;
    const took: Record<Kind, number[]> = { create: [], update: [], delete: [] };
    for (let i = 0; i < CHANGES; i++) {
      const kind = KINDS[i % KINDS.length] ?? 'create';
      const before = restarts();
      const began = performance.now();
      if (kind === 'create') await driver.portsChanged(world.id, { set: [port(PORTS + i)], removed: [] });
      if (kind === 'update') await driver.portsChanged(world.id, { set: [port(CLIENTS + i, 'b')], removed: [] });
      if (kind === 'delete') await driver.portsChanged(world.id, { set: [], removed: [port(PORTS - 1 - i).id] });
      took[kind].push(performance.now() - began);
      expect(restarts() - before).toBeLessThanOrEqual(kind === 'create' ? 0 : 1);
    }
    const counts = await machines.stop();
    expect(counts.sent).toBeGreaterThan(CHANGES);
    if (nativeObstacle() === undefined) expect(counts).toMatchObject({ refused: 0, unanswered: 0 });
    if (process.env.NEUTRINO_TEST_BIG) console.log(restarts(), counts, took);
    const client = await world.client(0);
    await client.move(macAt(PORTS));
    expect(await client.ask(['-O', 'bootfile'])).toMatchObject({ ip: addressOf(PORTS), bootfile: 'a' });
  });
});
