import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { IpFailed, ipBatch, ipBatchAll, ipQuery } from '../../src/linux/ip.ts';
import { showLink } from '../../src/linux/links.ts';
import { deleteNamespace, ensureNamespace, listNamespaces, namespaceExists } from '../../src/linux/namespaces.ts';
import { setSysctls, setSysctlsAndIp } from '../../src/linux/sysctl.ts';
import { readSysctl } from './devices.ts';
import { needsRoot } from './root.ts';

const namespace = `t-ns-${randomBytes(3).toString('hex')}`;

describe.skipIf(needsRoot)('namespaces (needs root)', () => {
  afterAll(() => deleteNamespace(namespace));

  it('are created once, with lo up', async () => {
    expect(await namespaceExists(namespace)).toBe(false);
    expect(await ensureNamespace(namespace)).toBe(true);
    expect(await ensureNamespace(namespace)).toBe(false);
    expect(await namespaceExists(namespace)).toBe(true);
    expect(await listNamespaces()).toContain(namespace);
    expect(await showLink('lo', { namespace })).toMatchObject({ up: true });
  });

  it('can be created twice simultaneously', async () => {
    const name = `${namespace}-race`;
    try {
      const made = await Promise.all([ensureNamespace(name), ensureNamespace(name), ensureNamespace(name)]);
      expect(made.filter(Boolean)).toHaveLength(1);
    } finally {
      await deleteNamespace(name);
    }
  });

  it('replace a file on which no namespace is mounted', async () => {
    const name = `${namespace}-stale`;
    await writeFile(`/run/netns/${name}`, '');
    try {
      expect(await namespaceExists(name)).toBe(false);
      expect(await ensureNamespace(name)).toBe(true);
    } finally {
      await deleteNamespace(name);
      await rm(`/run/netns/${name}`, { force: true });
    }
  });

  it('can be deleted repeatedly', async () => {
    const name = `${namespace}-gone`;
    await ensureNamespace(name);
    await deleteNamespace(name);
    await deleteNamespace(name);
    expect(await namespaceExists(name)).toBe(false);
  });

  it('have their own kernel settings', async () => {
    const key = 'net/ipv6/conf/default/accept_ra';
    const own = await readSysctl(key);
    await setSysctls({ [key]: 0, 'net/ipv4/conf/all/promote_secondaries': 1 }, { namespace });
    expect(await readSysctl(key, { namespace })).toBe('0');
    expect(await readSysctl('net/ipv4/conf/all/promote_secondaries', { namespace })).toBe('1');
    expect(await readSysctl(key)).toBe(own);
    await expect(setSysctls({ 'net/no/such': 0 }, { namespace })).rejects.toThrow('nonexistent');
  });

  it('kernel settings and a batch are applied in one process, without settings that this kernel lacks', async () => {
    await setSysctlsAndIp(
      { 'net/no/such': 1, 'net/ipv4/conf/default/forwarding': 1 },
      [['link', 'add', 'b9', 'type', 'bridge']],
      { namespace },
    );
    expect(await readSysctl('net/ipv4/conf/default/forwarding', { namespace })).toBe('1');
    expect(await showLink('b9', { namespace })).toBeDefined();
    await expect(setSysctlsAndIp({}, [['link', 'set', 'nosuch', 'up']], { namespace })).rejects.toThrow(
      `ip link set nosuch up (namespace ${namespace}): Cannot find device`,
    );
  });

  it('a batch stops at the step that fails, and names it', async () => {
    const failing = ipBatch(
      [
        ['link', 'add', 'b0', 'type', 'bridge'],
        ['link', 'set', 'nosuch', 'up'],
        ['link', 'add', 'b1', 'type', 'bridge'],
      ],
      { namespace },
    );
    await expect(failing).rejects.toThrow(
      `ip link set nosuch up (namespace ${namespace}): Cannot find device "nosuch"`,
    );
    await expect(failing).rejects.toBeInstanceOf(IpFailed);
    expect(await showLink('b0', { namespace })).toBeDefined();
    expect(await showLink('b1', { namespace })).toBeUndefined();
  });

  it('a batch runs to its end on request, and names all failed steps', async () => {
    const failures = await ipBatchAll(
      [
        ['link', 'del', 'none1'],
        ['link', 'add', 'b2', 'type', 'bridge'],
        ['link', 'del', 'none2'],
      ],
      { namespace },
    );
    expect(failures.map((failure) => failure.step[2])).toEqual(['none1', 'none2']);
    expect(await showLink('b2', { namespace })).toBeDefined();
  });

  it('several queries run in one process', async () => {
    const [links, routes] = await ipQuery(
      [
        ['link', 'show'],
        ['route', 'show', 'table', 'all'],
      ],
      { namespace },
    );
    expect(links).toEqual(expect.arrayContaining([expect.objectContaining({ ifname: 'lo' })]));
    expect(routes).toEqual(expect.arrayContaining([expect.objectContaining({ dst: '127.0.0.1' })]));
  });
});

describe('words with a special meaning', () => {
  it('whitespace and quotes are rejected in a batch', async () => {
    await expect(ipBatch([['link', 'set', 'a b', 'up']])).rejects.toThrow('"a b" cannot be a word of a batch');
    await expect(ipBatch([['link', 'set', 'a\nlink', 'up']])).rejects.toThrow('cannot be a word of a batch');
  });

  it('paths are rejected as namespaces, and keys outside /proc/sys', async () => {
    await expect(ensureNamespace('../etc/x')).rejects.toThrow('namespace name "../etc/x"');
    await expect(setSysctls({ '../../etc/passwd': 0 })).rejects.toThrow('sysctl "../../etc/passwd"');
    await expect(setSysctls({ 'net/ipv4/ip_forward': "1'; reboot '" }, { namespace: 'x' })).rejects.toThrow(
      'sysctl net/ipv4/ip_forward',
    );
  });
});
