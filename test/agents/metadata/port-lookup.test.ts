import { describe, expect, it } from 'vitest';
import { PortLookup } from '../../../src/agents/metadata/port-lookup.ts';
import { ShortCache } from '../../../src/agents/metadata/short-cache.ts';
import type { RpcTransport } from '../../../src/rpc/contract.ts';

type Port = { readonly device_id: string; readonly network_id?: string; readonly tenant_id?: string };

/** A lookup whose server answers from `ports`, and records what it is asked. */
function lookupWith(ports: (filters: Readonly<Record<string, unknown>>) => readonly Port[]) {
  const asked: unknown[] = [];
  const clock = { now: 0 };
  const transport: Pick<RpcTransport, 'call'> = {
    async call({ topic }, method, { filters }, { version } = {}) {
      asked.push([topic, method, version, filters]);
      return ports(filters as Readonly<Record<string, unknown>>);
    },
  };
  const lookup = new PortLookup({ transport: transport as RpcTransport, timeoutMs: 1_000, now: () => clock.now });
  return { lookup, asked, clock };
}

const VM: Port = { device_id: 'vm-1', tenant_id: 'p1' };
const ASKER = { network: 'n1', address: '10.0.0.5' };

describe('PortLookup', () => {
  it('asks as a stock metadata agent does: by address, by MAC, by the networks of a router', async () => {
    const { lookup, asked } = lookupWith(({ device_id }) =>
      device_id
        ? [
            { device_id: 'r1', network_id: 'n1' },
            { device_id: 'r1', network_id: 'n2' },
          ]
        : [VM],
    );
    expect(await lookup.find(ASKER)).toEqual({ id: 'vm-1', project: 'p1' });
    expect(await lookup.find({ network: 'n1', address: 'fe80::1', mac: 'fa:16:3e:00:00:01' })).toBeDefined();
    expect(await lookup.find({ router: 'r1', address: '10.0.0.6' })).toBeDefined();
    const device_owner = [
      'network:router_interface',
      'network:ha_router_replicated_interface',
      'network:router_interface_distributed',
    ];
    expect(asked).toEqual(
      [
        { network_id: ['n1'], fixed_ips: { ip_address: ['10.0.0.5'] } },
        { network_id: ['n1'], mac_address: ['fa:16:3e:00:00:01'] },
        { device_id: ['r1'], device_owner },
        { network_id: ['n1', 'n2'], fixed_ips: { ip_address: ['10.0.0.6'] } },
      ].map((filters) => ['q-plugin', 'get_ports', '1.0', filters]),
    );
  });

  it('does not take the id of a router for that of a network', async () => {
    const { lookup } = lookupWith(({ device_id, network_id }) => {
      if (device_id) return [{ device_id: 'r1', network_id: 'n1' }];
      return (network_id as string[]).includes('n1') ? [VM] : [];
    });
    expect(await lookup.find({ router: 'r1', address: '10.0.0.5' })).toBeDefined();
    expect(await lookup.find({ network: 'r1', address: '10.0.0.5' })).toBeUndefined();
  });

  it('finds nothing behind a router without networks, instead of searching all of them', async () => {
    const { lookup, asked } = lookupWith(({ device_id }) => (device_id ? [] : [VM]));
    expect(await lookup.find({ router: 'r1', address: '10.0.0.5' })).toBeUndefined();
    expect(asked).toHaveLength(1);
  });

  it.each<[string, readonly Port[]]>([
    ['no port', []],
    ['several ports', [VM, VM]],
    ['a port without a device', [{ device_id: '' }]],
    ['a port whose device is no header value', [{ device_id: 'vm\r\nX-Tenant-ID: p2' }]],
    ['a port whose device is not ASCII', [{ device_id: 'vmü' }]],
  ])('finds no machine for %s', async (_, ports) => {
    expect(await lookupWith(() => ports).lookup.find(ASKER)).toBeUndefined();
  });

  it('uses an answer for 5 s, or as long as the caller accepts; and never that there was none', async () => {
    let ports: readonly Port[] = [];
    const { lookup, asked, clock } = lookupWith(() => ports);
    await lookup.find(ASKER);
    ports = [VM];
    await Promise.all([lookup.find(ASKER), lookup.find(ASKER)]);
    expect(asked).toHaveLength(2);
    clock.now = 5_000;
    await lookup.find(ASKER);
    expect(asked).toHaveLength(2);
    await lookup.find(ASKER, 1_000);
    expect(asked).toHaveLength(3);
    clock.now = 10_001;
    await lookup.find(ASKER);
    expect(asked).toHaveLength(4);
  });
});

describe('ShortCache', () => {
  it('is bounded, and keeps no failure', async () => {
    const cache = new ShortCache<number>(2, () => 0);
    for (const key of ['a', 'b', 'c']) await cache.get(key, 1, async () => 1);
    expect(cache.size).toBe(2);
    expect(await cache.get('c', 1, async () => 2)).toBe(1);
    expect(await cache.get('a', 1, async () => 2)).toBe(2);
    await expect(cache.get('d', 1, () => Promise.reject(new Error('away')))).rejects.toThrow('away');
    expect(await cache.get('d', 1, async () => 3)).toBe(3);
  });
});
