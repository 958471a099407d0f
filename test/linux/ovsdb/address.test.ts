import { describe, expect, it } from 'vitest';
import { parseOption } from '../../../src/config/parse.ts';
import { ovsdbTarget } from '../../../src/linux/ovsdb/address.ts';

describe('the address of an OVSDB server', () => {
  it.each([
    ['unix:/run/openvswitch/db.sock', { path: '/run/openvswitch/db.sock' }],
    ['tcp:127.0.0.1:6640', { host: '127.0.0.1', port: 6640 }],
    ['tcp:[::1]:6640', { host: '::1', port: 6640 }],
  ])('%s is understood', (text, target) => {
    expect(ovsdbTarget(parseOption('ovs', 'ovsdb_connection', text) as string)).toEqual(target);
  });

  it.each(['ssl:127.0.0.1:6640', 'tcp:localhost:6640', 'unix:db.sock', 'tcp:127.0.0.1'])('%s is rejected', (text) => {
    expect(() => parseOption('ovs', 'ovsdb_connection', text)).toThrow(/unix:\/PATH or tcp:ADDRESS:PORT/);
    expect(() => ovsdbTarget(text)).toThrow('not unix:/PATH or tcp:ADDRESS:PORT');
  });
});
