import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { ipBatch, isNotFound } from '../../src/linux/ip.ts';
import { deleteLink, listLinks, parseLinks, showLink } from '../../src/linux/links.ts';
import { deleteNamespace, ensureNamespace } from '../../src/linux/namespaces.ts';
import { addBridge, addVeth, linkExists, setMaster } from './devices.ts';
import { needsRoot } from './root.ts';

const tag = randomBytes(3).toString('hex');
const namespace = `t-links-${tag}`;
const other = `t-links2-${tag}`;

describe('the output of ip link', () => {
  it('is parsed with the ends of a pair, bridges and aliases, without the empty objects that a filter leaves', () => {
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
        alias: 'mine',
      },
    ]);
  });
});

describe.skipIf(needsRoot)('devices (needs root)', () => {
  afterAll(async () => {
    await Promise.all([deleteNamespace(namespace), deleteNamespace(other)]);
  });

  it('a veth pair has ends of the same name in two namespaces, which are down', async () => {
    await Promise.all([ensureNamespace(namespace), ensureNamespace(other)]);
    await addVeth({ name: 'tap0', namespace }, { name: 'tap0', namespace: other, mac: 'fa:16:3e:00:00:07' }, 1442);
    const [outer, inner] = await Promise.all([showLink('tap0', { namespace }), showLink('tap0', { namespace: other })]);
    const peerIndex = outer?.index;
    expect(inner).toMatchObject({ kind: 'veth', mac: 'fa:16:3e:00:00:07', mtu: 1442, up: false, peerIndex });
    expect(outer).toMatchObject({ kind: 'veth', mtu: 1442, up: false, peerIndex: inner?.index });
  });

  it('devices are listed by bridge and by type', async () => {
    await addBridge('brq0', { namespace });
    expect(await showLink('brq0', { namespace })).toMatchObject({ kind: 'bridge', up: true });
    await setMaster('tap0', 'brq0', { namespace });
    expect((await listLinks({ namespace, master: 'brq0' })).map((link) => link.name)).toEqual(['tap0']);
    await setMaster('tap0', null, { namespace });
    expect(await listLinks({ namespace, master: 'brq0' })).toEqual([]);
    expect((await listLinks({ namespace, kind: 'bridge' })).map((link) => link.name)).toEqual(['brq0']);
  });

  it('a device is up or down', async () => {
    await ipBatch([['link', 'set', 'dev', 'tap0', 'up']], { namespace });
    expect(await showLink('tap0', { namespace })).toMatchObject({ up: true });
    await ipBatch([['link', 'set', 'dev', 'tap0', 'down']], { namespace });
    expect(await showLink('tap0', { namespace })).toMatchObject({ up: false });
  });

  it('both ends of a device are deleted; a missing device is not an error', async () => {
    await deleteLink('tap0', { namespace });
    await deleteLink('tap0', { namespace });
    expect(await linkExists('tap0', { namespace: other })).toBe(false);
  });

  it('errors name device and namespace', async () => {
    const missing = ipBatch([['link', 'set', 'dev', 'nosuch0', 'up']], { namespace });
    await expect(missing).rejects.toThrow(`ip link set dev nosuch0 up (namespace ${namespace}): Cannot find device`);
    expect(isNotFound(await missing.catch((error: unknown) => error))).toBe(true);
    await expect(showLink('sixteen-letters-', { namespace })).rejects.toThrow('"sixteen-letters-"');
    await expect(listLinks({ namespace: '../x' })).rejects.toThrow('"../x"');
    await expect(listLinks({ namespace: `${namespace}-none` })).rejects.toThrow('Cannot open network namespace');
  });
});
