import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CallersApi, openCallersApi } from '../support/callers.ts';

/** A member with a token for no project, as of a domain. */
const NOWHERE = ':member';

describe('a caller without a project', () => {
  let api: CallersApi;
  beforeAll(async () => {
    api = await openCallersApi();
  });
  afterAll(() => api.close());

  it('sees what is shared with everybody, and nothing else', async () => {
    const shared = await api.create('/networks', 'network', { name: 'shared', shared: true });
    await api.create('/networks', 'network', { name: 'private' });
    const { json } = await api.ask('GET', '/networks', undefined, NOWHERE);
    expect(json.networks.map(({ id }: { id: string }) => id)).toEqual([shared.id]);
  });

  it('owns nothing: not even what belongs to no project, as the ports of floating IPs', async () => {
    const network = await api.create('/networks', 'network', { name: 'n', project_id: '' });
    const port = await api.create('/ports', 'port', { network_id: network.id, project_id: '' });
    const group = await api.create('/security-groups', 'security_group', { name: 'g', project_id: '' });
    for (const [path, name] of [
      [`/networks/${network.id}`, 'network'],
      [`/ports/${port.id}`, 'port'],
      [`/security-groups/${group.id}`, 'security_group'],
    ] as const) {
      expect((await api.ask('GET', path, undefined, NOWHERE)).status).toBe(404);
      expect((await api.ask('PUT', path, { [name]: { name: 'mine' } }, NOWHERE)).status).toBe(404);
      expect((await api.ask('DELETE', path, undefined, NOWHERE)).status).toBe(404);
    }
  });

  it('creates nothing without naming a project, which only administrators may', async () => {
    const ask = (caller: string, values: object) => api.ask('POST', '/networks', { network: values }, caller);
    for (const [caller, values] of [
      [NOWHERE, {}],
      [NOWHERE, { project_id: 'p9' }],
      [':admin', {}],
    ] as const)
      expect(await ask(caller, values)).toMatchObject({ status: 400, type: 'HTTPBadRequest' });
    expect(await ask(':admin', { project_id: 'p9' })).toMatchObject({
      status: 201,
      json: { network: { project_id: 'p9' } },
    });
  });
});
