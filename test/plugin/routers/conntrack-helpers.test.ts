import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CallersApi, openCallersApi } from '../../support/callers.ts';

let api: CallersApi;
let router: string;
beforeEach(async () => {
  api = await openCallersApi();
  router = (await api.create('/routers', 'router', {}, 'p1')).id;
});
afterEach(() => api.close());

const path = (id = '') => `/routers/${router}/conntrack_helpers${id === '' ? '' : `/${id}`}`;
const TFTP = { protocol: 'udp', port: 69, helper: 'tftp' };

describe('a conntrack helper', () => {
  it('is shown by its router and belongs to it', async () => {
    const { id, ...values } = await api.create(path(), 'conntrack_helper', TFTP, 'p1');
    expect(values).toEqual(TFTP);
    const { json } = await api.ask('GET', `/routers/${router}`);
    expect(json.router).toMatchObject({ conntrack_helpers: [TFTP], revision_number: 2 });
    const changed = { conntrack_helper: { id, ...TFTP, port: 6969 } };
    expect((await api.ask('PUT', path(id), { conntrack_helper: { port: 6969 } }, 'p1')).json).toEqual(changed);
    expect((await api.ask('GET', path(id), undefined, 'p1')).json).toEqual(changed);
    expect((await api.ask('GET', `${path()}?port=69`, undefined, 'p1')).json.conntrack_helpers).toEqual([]);
    expect((await api.ask('DELETE', path(id), undefined, 'p1')).status).toBe(204);
    expect((await api.ask('GET', path(id), undefined, 'p1')).type).toBe('ConntrackHelperNotFound');
  });

  it('must be allowed, and is the only one of its kind', async () => {
    const { id } = await api.create(path(), 'conntrack_helper', { ...TFTP, port: 70 }, 'p1');
    await api.create(path(), 'conntrack_helper', TFTP, 'p1');
    for (const [changes, type] of [
      [{}, 'BadRequest'],
      [{ helper: 'gopher' }, 'ConntrackHelperNotAllowed'],
      [{ protocol: 'tcp' }, 'InvalidProtocolForHelper'],
      [{ protocol: 'gre' }, 'HTTPBadRequest'],
      [{ port: 0 }, 'HTTPBadRequest'],
      [{ helper: 'tftp\nx' }, 'HTTPBadRequest'],
    ] as const) {
      const body = { conntrack_helper: { ...TFTP, ...changes } };
      expect([changes, (await api.ask('POST', path(), body, 'p1')).type]).toEqual([changes, type]);
      expect([changes, (await api.ask('PUT', path(id), body, 'p1')).type]).toEqual([changes, type]);
    }
  });

  it('does not exist for callers who cannot see its router', async () => {
    const { id } = await api.create(path(), 'conntrack_helper', TFTP, 'p1');
    expect((await api.ask('GET', path(), undefined, 'p2')).json).toEqual({ conntrack_helpers: [] });
    expect((await api.ask('GET', path(id), undefined, 'p2')).type).toBe('HTTPNotFound');
    const body = { conntrack_helper: { port: 70 } };
    expect((await api.ask('PUT', path(id), body, 'p2')).type).toBe('HTTPNotFound');
    expect((await api.ask('DELETE', path(id), undefined, 'p2')).type).toBe('HTTPNotFound');
    expect((await api.ask('POST', path(), { conntrack_helper: TFTP }, 'p2')).type).toBe('RouterNotFound');
    expect((await api.ask('POST', path(), { conntrack_helper: TFTP }, 'p2:service')).type).toBe('PolicyNotAuthorized');
    expect((await api.ask('POST', path(), { conntrack_helper: TFTP }, 'p1:reader')).type).toBe('PolicyNotAuthorized');
  });
});
