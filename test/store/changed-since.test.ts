import { afterEach, beforeEach, expect, test } from 'vitest';
import { type CallersApi, openCallersApi } from '../support/callers.ts';

let api: CallersApi;
beforeEach(async () => {
  api = await openCallersApi();
});
afterEach(() => api.close());

test('changed_since selects what has changed at or after a time, in any zone', async () => {
  const old = await api.create('/networks', 'network', { name: 'old' });
  const recent = await api.create('/networks', 'network', { name: 'recent' });
  const set = (name: string, time: string) =>
    api.core.db.kysely
      .updateTable('standardattributes')
      .set({ updated_at: time })
      .where('id', 'in', (eb) => eb.selectFrom('networks').select('standard_attr_id').where('name', '=', name))
      .execute();
  await set('old', '2024-01-01 10:00:00');
  await set('recent', '2024-06-01 10:00:00');
  const since = async (time: string) =>
    (await api.ask('GET', `/networks?changed_since=${encodeURIComponent(time)}`)).json.networks.map(
      (n: { id: string }) => n.id,
    );
  expect((await since('2024-01-01T10:00:00Z')).sort()).toEqual([old.id, recent.id].sort());
  expect(await since('2024-06-01T10:00:00')).toEqual([recent.id]);
  expect(await since('2024-06-01T12:00:00+02:00')).toEqual([recent.id]);
  expect(await since('2024-06-01T10:00:01Z')).toEqual([]);
});

test.each(['', 'yesterday', '2024-13-01T00:00:00Z', '2024-01-01', '2024-01-01T00:00:00+99:99'])(
  'changed_since is refused: %j',
  async (time) => {
    const answer = await api.ask('GET', `/networks?changed_since=${encodeURIComponent(time)}`);
    expect(answer).toMatchObject({ status: 400, type: 'InvalidInput' });
  },
);

test('resources without times have no such filter', async () => {
  expect((await api.ask('GET', '/availability_zones?changed_since=2024-01-01T00:00:00Z')).status).toBe(400);
});
