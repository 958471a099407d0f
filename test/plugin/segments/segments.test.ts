import { afterEach, beforeEach, expect, test } from 'vitest';
import { type CallersApi, openCallersApi } from '../../support/callers.ts';

let api: CallersApi;
beforeEach(async () => {
  api = await openCallersApi({ ml2_type_vlan: { network_vlan_ranges: ['physnet1:100:199'] } });
});
afterEach(() => api.close());

const vlan = (network: string, values: object = {}) => ({
  segment: { network_id: network, network_type: 'vlan', physical_network: 'physnet1', ...values },
});

test('segments of a network are listed, added, changed and removed', async () => {
  const network = await api.create('/networks', 'network', {});
  const of = async () => (await api.ask('GET', `/segments?network_id=${network.id}`)).json.segments;
  expect(await of()).toMatchObject([{ network_type: 'vxlan', name: null, revision_number: 0 }]);
  const added = await api.ask('POST', '/segments', vlan(network.id, { name: 's', segmentation_id: 150 }));
  expect(added).toMatchObject({ status: 201, json: { segment: { segmentation_id: 150, name: 's' } } });
  const { id } = added.json.segment;
  const shown = (await api.ask('GET', `/networks/${network.id}`)).json.network;
  expect(shown.segments).toHaveLength(2);
  expect(await api.ask('POST', '/segments', vlan(network.id, { segmentation_id: 150 }))).toMatchObject({
    status: 409,
    type: 'VlanIdInUse',
  });
  const renamed = await api.ask('PUT', `/segments/${id}`, { segment: { name: 'n', description: 'd' } });
  expect(renamed.json.segment).toMatchObject({ name: 'n', description: 'd', revision_number: 1 });
  expect((await api.ask('PUT', `/segments/${id}`, { segment: { segmentation_id: 151 } })).status).toBe(400);
  expect((await api.ask('DELETE', `/segments/${id}`)).status).toBe(204);
  expect(await of()).toHaveLength(1);
  // The VLAN id is free again.
  expect((await api.ask('POST', '/segments', vlan(network.id, { segmentation_id: 150 }))).status).toBe(201);
});

test('a segment with subnets is kept; members see none', async () => {
  const network = await api.create('/networks', 'network', {}, 'p1');
  const [segment] = (await api.ask('GET', `/segments?network_id=${network.id}`)).json.segments;
  await api.create('/subnets', 'subnet', {
    network_id: network.id,
    segment_id: segment.id,
    ip_version: 4,
    cidr: '10.0.0.0/24',
  });
  expect(await api.ask('DELETE', `/segments/${segment.id}`)).toMatchObject({ status: 409, type: 'SegmentInUse' });
  expect((await api.ask('GET', '/segments', undefined, 'p1')).json.segments).toEqual([]);
  expect((await api.ask('GET', `/segments/${segment.id}`, undefined, 'p1')).status).toBe(404);
  expect((await api.ask('POST', '/segments', vlan(network.id), 'p1')).status).toBe(403);
  expect((await api.ask('POST', '/segments', vlan('99999999-9999-9999-9999-999999999999'))).type).toBe(
    'NetworkNotFound',
  );
});
