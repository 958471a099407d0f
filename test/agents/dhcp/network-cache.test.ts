import { describe, expect, it } from 'vitest';
import { NetworkCache } from '../../../src/agents/dhcp/network-cache.ts';
import type { NetworkInfo, PortDocument } from '../../../src/rpc/documents.ts';
import { network, port } from './documents.ts';

function cacheWith(info: NetworkInfo): NetworkCache {
  const cache = new NetworkCache();
  cache.merge(info, cache.now());
  return cache;
}
const ids = (cache: NetworkCache, networkId: string) => cache.info(networkId)?.ports.map((one) => one.id);
const at = (one: PortDocument, revision_number: number, more: Partial<PortDocument> = {}) => ({
  ...one,
  revision_number,
  ...more,
});

describe('ports in whatever order their messages come', () => {
  it('takes a newer revision, drops an older one', () => {
    const net = network();
    const first = port(net.id, { revision_number: 3, name: 'three' });
    const cache = cacheWith({ ...net, ports: [first] });
    expect(cache.applyPort(at(first, 2, { name: 'two' }))).toEqual({ outcome: 'stale' });
    expect(cache.port(first.id)?.name).toBe('three');
    expect(cache.applyPort(at(first, 4, { name: 'four' }))).toMatchObject({ outcome: 'changed', before: first });
    expect(cache.info(net.id)?.ports.map((one) => one.name)).toEqual(['four']);
  });

  it('takes the same revision twice without a change, and one that says something else', () => {
    const net = network();
    const first = port(net.id);
    const cache = cacheWith({ ...net, ports: [first] });
    const before = cache.info(net.id);
    expect(cache.applyPort({ ...first, name: 'renamed' })).toEqual({ outcome: 'unchanged' });
    expect(cache.info(net.id)).toBe(before);
    expect(cache.applyPort({ ...first, mac_address: 'fa:16:3e:ff:ff:ff' })).toMatchObject({ outcome: 'changed' });
  });

  it('takes what comes later for newer where servers send no revision', () => {
    const net = network();
    const { revision_number: _, ...first } = port(net.id);
    const cache = cacheWith({ ...net, ports: [first] });
    expect(cache.applyPort({ ...first, mac_address: 'fa:16:3e:ff:ff:ff' })).toMatchObject({ outcome: 'changed' });
  });

  it('never brings back a deleted port: not by a late message, not by an answer that was on its way', () => {
    const net = network();
    const gone = port(net.id);
    const cache = cacheWith({ ...net, ports: [gone] });
    const asked = cache.now();
    expect(cache.deletePort(gone.id)).toBe(gone);
    expect(cache.deletePort(gone.id)).toBeUndefined();
    expect(cache.applyPort(at(gone, 99))).toEqual({ outcome: 'deleted' });
    cache.merge({ ...net, ports: [gone] }, asked);
    expect(ids(cache, net.id)).toEqual([]);
  });

  it('remembers a deletion that overtook the creation', () => {
    const net = network();
    const cache = cacheWith(net);
    const late = port(net.id);
    cache.deletePort(late.id);
    expect(cache.applyPort(late)).toEqual({ outcome: 'deleted' });
  });

  it('says so when it does not know the network', () => {
    expect(new NetworkCache().applyPort(port('elsewhere'))).toEqual({ outcome: 'unknown-network' });
  });

  it('names the port whose address another one has now', () => {
    const net = network();
    const fixed_ips = [{ subnet_id: net.subnets[0]?.id as string, ip_address: '10.0.0.7' }];
    const old = port(net.id, { fixed_ips });
    const cache = cacheWith({ ...net, ports: [old] });
    const news = cache.applyPort(port(net.id, { fixed_ips }));
    expect(news).toMatchObject({ outcome: 'changed', rival: old });
    expect(cache.applyPort(at(old, 2, { fixed_ips: [] }))).toEqual({ outcome: 'changed', before: old });
    expect(cache.applyPort(port(net.id, { fixed_ips }))).toHaveProperty('rival');
  });

  it('has no rival where an address was given up before', () => {
    const net = network();
    const fixed_ips = [{ subnet_id: 's', ip_address: '10.0.0.7' }];
    const old = port(net.id, { fixed_ips });
    const cache = cacheWith({ ...net, ports: [old] });
    cache.deletePort(old.id);
    expect(cache.applyPort(port(net.id, { fixed_ips }))).toEqual({ outcome: 'changed' });
  });
});

describe('whole documents', () => {
  it('drop what they lack, but not what came after they were asked for', () => {
    const net = network();
    const [old, kept] = [port(net.id), port(net.id)];
    const cache = cacheWith({ ...net, ports: [old, kept] });
    const asked = cache.now();
    const young = port(net.id);
    cache.applyPort(young);
    cache.merge({ ...net, ports: [kept] }, asked);
    expect(ids(cache, net.id)).toEqual([kept.id, young.id]);
  });

  it('do not take back what a newer message said', () => {
    const net = network();
    const first = port(net.id);
    const cache = cacheWith({ ...net, ports: [first] });
    const asked = cache.now();
    cache.applyPort(at(first, 5, { name: 'newer' }));
    cache.merge({ ...net, ports: [first] }, asked);
    expect(cache.port(first.id)?.name).toBe('newer');
  });

  it('of two, the one asked for last counts, whichever comes last', () => {
    const net = network();
    const cache = cacheWith(net);
    const [early, late] = [cache.now(), cache.now()];
    cache.merge({ ...net, mtu: 1400 }, late);
    cache.merge({ ...net, mtu: 1300 }, early);
    expect(cache.info(net.id)?.mtu).toBe(1400);
  });

  it('leave ports that are the same the same objects', () => {
    const net = network();
    const first = port(net.id);
    const cache = cacheWith({ ...net, ports: [first] });
    cache.merge({ ...net, ports: [{ ...first }] }, cache.now());
    expect(cache.port(first.id)).toBe(first);
  });
});

describe('what is known where', () => {
  it('finds networks by port and subnet, and counts', () => {
    const net = network();
    const first = port(net.id);
    const cache = cacheWith({ ...net, ports: [first] });
    expect(cache.port(first.id)?.network_id).toBe(net.id);
    expect(cache.networkOfSubnet(net.subnets[0]?.id as string)).toBe(net.id);
    expect(cache.counts()).toEqual({ networks: 1, subnets: 1, ports: 1 });
    cache.merge({ ...net, subnets: [], non_local_subnets: net.subnets }, cache.now());
    expect(cache.networkOfSubnet(net.subnets[0]?.id as string)).toBe(net.id);
    cache.merge({ ...net, subnets: [] }, cache.now());
    expect(cache.networkOfSubnet(net.subnets[0]?.id as string)).toBeUndefined();
    expect(cache.counts()).toEqual({ networks: 1, subnets: 0, ports: 0 });
    cache.deleteNetwork(net.id);
    expect(cache.counts()).toEqual({ networks: 0, subnets: 0, ports: 0 });
    expect(cache.info(net.id)).toBeUndefined();
  });

  it('lets the ports of a forgotten network come again with it', () => {
    const net = network();
    const first = port(net.id);
    const cache = cacheWith({ ...net, ports: [first] });
    cache.deleteNetwork(net.id);
    cache.merge({ ...net, ports: [first] }, cache.now());
    expect(ids(cache, net.id)).toEqual([first.id]);
  });
});

describe('ports whose readiness is to be told', () => {
  it('are those that are new or notified of anew, each once', () => {
    const net = network();
    const [one, two] = [port(net.id), port(net.id)];
    const cache = cacheWith({ ...net, ports: [one] });
    cache.applyPort(two);
    expect(cache.takeReadyPorts(net.id)).toEqual([one.id, two.id]);
    expect(cache.takeReadyPorts(net.id)).toEqual([]);
    cache.applyPort(two);
    cache.applyPort(at(one, 2));
    expect(cache.takeReadyPorts(net.id)).toEqual([one.id]);
  });

  it('are not those that a document shows to have become active', () => {
    const net = network();
    const one = port(net.id);
    const cache = cacheWith({ ...net, ports: [one] });
    cache.takeReadyPorts(net.id);
    cache.merge({ ...net, ports: [at(one, 2, { status: 'ACTIVE' })] }, cache.now());
    expect(cache.takeReadyPorts(net.id)).toEqual([]);
    cache.merge({ ...net, ports: [at(one, 3, { status: 'DOWN' })] }, cache.now());
    expect(cache.takeReadyPorts(net.id)).toEqual([one.id]);
  });

  it('come back when they could not be served, or all shall be told again, but for those that are gone', () => {
    const net = network();
    const [one, two] = [port(net.id), port(net.id)];
    const cache = cacheWith({ ...net, ports: [one, two] });
    const taken = cache.takeReadyPorts(net.id);
    cache.deletePort(one.id);
    cache.requeueReadyPorts(net.id, taken);
    expect(cache.takeReadyPorts(net.id)).toEqual([two.id]);
    cache.requeueReadyPorts(net.id);
    expect(cache.takeReadyPorts(net.id)).toEqual([two.id]);
  });
});
