import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canonicalCidr, listAddresses, planAddresses } from '../../src/linux/addresses.ts';
import { type IpCommand, ipBatch } from '../../src/linux/ip.ts';
import { deleteNamespace, ensureNamespace } from '../../src/linux/namespaces.ts';
import {
  defaultRouteCommand,
  deleteRouteCommand,
  isDefaultRoute,
  isOnLinkRoute,
  onLinkRouteCommand,
  parseRoutes,
} from '../../src/linux/routes.ts';
import { addVeth, listRoutes, setAddresses } from './devices.ts';
import { needsRoot } from './root.ts';

const namespace = `t-addr-${randomBytes(3).toString('hex')}`;
const shown = async () =>
  (await listAddresses('tap0', { namespace }))
    .filter((entry) => entry.scope !== 'link')
    .map((entry) => `${entry.address}/${entry.prefixLength}`)
    .sort();

describe('desired addresses', () => {
  it('have one spelling each', () => {
    expect(canonicalCidr('FD00:0:0::0002/64')).toBe('fd00::2/64');
    expect(canonicalCidr('10.0.0.2/24')).toBe('10.0.0.2/24');
    expect(() => canonicalCidr('10.0.0.2')).toThrow('"10.0.0.2"');
    expect(() => canonicalCidr('xyz::/64')).toThrow('"xyz::/64"');
  });

  it('change nothing that is correct, whatever its spelling, and leave link-local addresses unchanged', () => {
    const actual = [
      { family: 4 as const, address: '10.0.0.2', prefixLength: 24, scope: 'global', dynamic: false },
      { family: 6 as const, address: 'fd00::2', prefixLength: 64, scope: 'global', dynamic: false },
      { family: 6 as const, address: 'fe80::1', prefixLength: 64, scope: 'link', dynamic: false },
    ];
    expect(planAddresses('tap0', actual, ['FD00:0::2/64', '10.0.0.2/24'])).toEqual([]);
    expect(planAddresses('tap0', actual, ['10.0.0.2/16'])).toEqual([
      ['addr', 'del', 'fd00::2/64', 'dev', 'tap0'],
      ['addr', 'del', '10.0.0.2/24', 'dev', 'tap0'],
      ['addr', 'add', '10.0.0.2/16', 'brd', '+', 'dev', 'tap0'],
    ]);
  });
});

describe('the output of ip route', () => {
  it('is split by family, without other tables and types', () => {
    const routes = parseRoutes([
      { type: 'unicast', dst: 'default', gateway: '10.0.0.1', dev: 'tap0', table: 'main', protocol: 'boot' },
      {
        type: 'unicast',
        dst: 'default',
        gateway: 'fd00::1',
        dev: 'tap0',
        table: 'main',
        protocol: 'boot',
        pref: 'medium',
      },
      { type: 'unicast', dst: 'default', dev: 'tap0', table: 'main', protocol: 'boot', pref: 'medium' },
      { type: 'local', dst: '10.0.0.2', dev: 'tap0', table: 'local', protocol: 'kernel' },
      { dst: '10.0.0.0/24', dev: 'tap0', protocol: 'kernel', scope: 'link' },
    ]);
    expect(routes.map((route) => [route.family, route.destination])).toEqual([
      [4, 'default'],
      [6, 'default'],
      [6, 'default'],
      [4, '10.0.0.0/24'],
    ]);
  });
});

describe.skipIf(needsRoot)('addresses and routes of a device (needs root)', () => {
  const run = (...steps: readonly IpCommand[]) => ipBatch(steps, { namespace });
  const defaultRoutes = async () => (await listRoutes({ namespace })).filter(isDefaultRoute);

  beforeAll(async () => {
    await ensureNamespace(namespace);
    await addVeth({ name: 'tap0', namespace }, { name: 'peer0', namespace });
    await run(['link', 'set', 'dev', 'peer0', 'up'], ['link', 'set', 'dev', 'tap0', 'up']);
  });
  afterAll(() => deleteNamespace(namespace));

  it('are set exactly, IPv4 and IPv6, usable at once', async () => {
    await setAddresses('tap0', ['10.0.0.2/24', '10.0.50.2/24', 'fd00::2/64'], { namespace });
    expect(await shown()).toEqual(['10.0.0.2/24', '10.0.50.2/24', 'fd00::2/64']);
    await setAddresses('tap0', ['10.0.50.2/24', 'fd00:0::3/64'], { namespace });
    expect(await shown()).toEqual(['10.0.50.2/24', 'fd00::3/64']);
  });

  it('an address is kept when the primary address of its subnet is removed', async () => {
    await setAddresses('tap0', ['10.0.50.2/24', '10.0.50.3/24', '10.0.50.4/24'], { namespace });
    await setAddresses('tap0', ['10.0.50.3/24', '10.0.50.5/24'], { namespace });
    expect(await shown()).toEqual(['10.0.50.3/24', '10.0.50.5/24']);
    await setAddresses('tap0', ['10.0.50.2/24', 'fd00::3/64'], { namespace });
  });

  it('a default route per family is set and replaced', async () => {
    await run(
      defaultRouteCommand('10.0.50.1', 'tap0'),
      defaultRouteCommand('10.0.50.254', 'tap0'),
      defaultRouteCommand('fd00::1', 'tap0'),
    );
    expect((await defaultRoutes()).map((route) => route.gateway)).toEqual(['10.0.50.254', 'fd00::1']);
    await run(...(await defaultRoutes()).map(deleteRouteCommand));
    expect(await defaultRoutes()).toEqual([]);
  });

  it('an on-link route is added for a gateway outside the subnet', async () => {
    await run(onLinkRouteCommand('192.0.2.1', 'tap0'));
    await run(onLinkRouteCommand('192.0.2.1', 'tap0'), defaultRouteCommand('192.0.2.1', 'tap0'));
    const routes = (await listRoutes({ namespace })).filter((route) => isOnLinkRoute(route) && route.device === 'tap0');
    expect(routes.map((route) => route.destination)).toEqual(['192.0.2.1']);
    expect((await defaultRoutes())[0]?.gateway).toBe('192.0.2.1');
  });

  it('errors name a missing device', async () => {
    await expect(listAddresses('nosuch0', { namespace })).rejects.toThrow('nosuch0');
  });
});
