import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { isNotFound } from '../../src/linux/ip.ts';
import {
  deleteLink,
  ensureBridge,
  ensureVeth,
  linkExists,
  listLinks,
  parseLinks,
  setDown,
  setMac,
  setMaster,
  setMtu,
  setUp,
  showLink,
} from '../../src/linux/links.ts';
import { deleteNamespace, ensureNamespace } from '../../src/linux/namespaces.ts';
import { needsRoot } from './root.ts';

const tag = randomBytes(3).toString('hex');
const namespace = `t-links-${tag}`;
const other = `t-links2-${tag}`;

describe('what ip prints of devices', () => {
  it('reads the ends of a pair, bridges and aliases, and skips the empty objects that a filter leaves', () => {
    expect(
      parseLinks([
        {},
        {
          ifindex: 9,
          link_index: 2,
          ifname: 'tap0',
          flags: ['BROADCAST', 'UP'],
          mtu: 1450,
          address: 'DA:58:6f:82:79:68',
          link_netnsid: 0,
          ifalias: 'mine',
          master: 'brq0',
          linkinfo: { info_kind: 'veth' },
        },
      ]),
    ).toEqual([
      {
        name: 'tap0',
        index: 9,
        mac: 'da:58:6f:82:79:68',
        mtu: 1450,
        up: true,
        master: 'brq0',
        kind: 'veth',
        peerIndex: 2,
        peerElsewhere: true,
        alias: 'mine',
      },
    ]);
  });
});

describe.skipIf(needsRoot)('devices (needs root)', () => {
  afterAll(async () => {
    await Promise.all([deleteNamespace(namespace), deleteNamespace(other)]);
  });

  it('makes a veth pair with both ends of one name in two namespaces, and makes it once', async () => {
    await Promise.all([ensureNamespace(namespace), ensureNamespace(other)]);
    const make = () =>
      ensureVeth(
        { name: 'tap0', namespace },
        { name: 'tap0', namespace: other, mac: 'fa:16:3e:00:00:07' },
        { mtu: 1442 },
      );
    expect(await make()).toBe(true);
    const inner = await showLink('tap0', { namespace: other });
    expect(inner).toMatchObject({ kind: 'veth', mac: 'fa:16:3e:00:00:07', mtu: 1442, up: false, peerElsewhere: true });
    expect(await make()).toBe(false);
    expect(await showLink('tap0', { namespace: other })).toEqual(inner);
  });

  it('corrects MTU and MAC of a pair that is there', async () => {
    await setMtu('tap0', 1300, { namespace });
    await setMac('tap0', 'fa:16:3e:00:00:08', { namespace: other });
    const before = await showLink('tap0', { namespace: other });
    await ensureVeth(
      { name: 'tap0', namespace },
      { name: 'tap0', namespace: other, mac: 'FA:16:3e:00:00:07' },
      { mtu: 1442 },
    );
    expect(await showLink('tap0', { namespace })).toMatchObject({ mtu: 1442 });
    expect(await showLink('tap0', { namespace: other })).toMatchObject({
      mtu: 1442,
      mac: 'fa:16:3e:00:00:07',
      index: before?.index,
    });
  });

  it('replaces strangers of these names by a pair', async () => {
    await ensureVeth({ name: 'a0', namespace }, { name: 'x0', namespace: other });
    await ensureVeth({ name: 'x1', namespace }, { name: 'b0', namespace: other });
    expect(await ensureVeth({ name: 'a0', namespace }, { name: 'b0', namespace: other })).toBe(true);
    const [one, two] = await Promise.all([showLink('a0', { namespace }), showLink('b0', { namespace: other })]);
    expect(one?.peerIndex).toBe(two?.index);
    expect(await linkExists('x0', { namespace: other })).toBe(false);
  });

  it('makes a bridge once, up and without forwarding delay, and plugs and unplugs a device', async () => {
    expect(await ensureBridge('brq0', { namespace, mtu: 1442 })).toBe(true);
    expect(await ensureBridge('brq0', { namespace, mtu: 1400 })).toBe(false);
    expect(await showLink('brq0', { namespace })).toMatchObject({ kind: 'bridge', up: true, mtu: 1400 });
    await setMaster('tap0', 'brq0', { namespace });
    await setMaster('tap0', 'brq0', { namespace });
    expect((await listLinks({ namespace, master: 'brq0' })).map((link) => link.name)).toEqual(['tap0']);
    await setMaster('tap0', null, { namespace });
    expect(await listLinks({ namespace, master: 'brq0' })).toEqual([]);
    expect((await listLinks({ namespace, kind: 'bridge' })).map((link) => link.name)).toEqual(['brq0']);
  });

  it('refuses a device of the name that is no bridge', async () => {
    await expect(ensureBridge('tap0', { namespace })).rejects.toThrow('device tap0 is veth, not a bridge');
  });

  it('sets up and down', async () => {
    await setUp('tap0', { namespace });
    expect(await showLink('tap0', { namespace })).toMatchObject({ up: true });
    await setDown('tap0', { namespace });
    expect(await showLink('tap0', { namespace })).toMatchObject({ up: false });
  });

  it('deletes a device, both ends, and does not mind that it is gone', async () => {
    await deleteLink('tap0', { namespace });
    await deleteLink('tap0', { namespace });
    expect(await linkExists('tap0', { namespace: other })).toBe(false);
  });

  it('names device and namespace in its errors', async () => {
    const missing = setUp('nosuch0', { namespace });
    await expect(missing).rejects.toThrow(`ip link set dev nosuch0 up (namespace ${namespace}): Cannot find device`);
    expect(isNotFound(await missing.catch((error: unknown) => error))).toBe(true);
    await expect(showLink('sixteen-letters-', { namespace })).rejects.toThrow('"sixteen-letters-"');
    await expect(listLinks({ namespace: '../x' })).rejects.toThrow('"../x"');
    await expect(listLinks({ namespace: `${namespace}-none` })).rejects.toThrow('Cannot open network namespace');
  });
});
