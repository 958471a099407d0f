import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { brokerName, parseTransportUrl } from '../../../src/rpc/rabbit/transport-url.ts';

const hosts = (url: string) => parseTransportUrl(url).hosts;

describe('transport_url', () => {
  test('names one host with user, password, port and virtual host', () => {
    expect(parseTransportUrl('rabbit://neutron:secret@mq1:5673/openstack')).toEqual({
      hosts: [{ hostname: 'mq1', port: 5673, username: 'neutron', password: 'secret' }],
      virtualHost: 'openstack',
      query: new Map(),
    });
  });

  test('names several hosts, each with its own user', () => {
    expect(hosts('rabbit://a:1@h1,b:2@h2:5,c:3@h3/')).toEqual([
      { hostname: 'h1', port: 5672, username: 'a', password: '1' },
      { hostname: 'h2', port: 5, username: 'b', password: '2' },
      { hostname: 'h3', port: 5672, username: 'c', password: '3' },
    ]);
  });

  test('takes guest where no user is given, and localhost where no host is', () => {
    const guest = { username: 'guest', password: 'guest', port: 5672 };
    expect(hosts('rabbit://h1,u:p@h2')).toEqual([
      { ...guest, hostname: 'h1' },
      { hostname: 'h2', port: 5672, username: 'u', password: 'p' },
    ]);
    expect(hosts('rabbit://')).toEqual([{ ...guest, hostname: 'localhost' }]);
    expect(hosts('rabbit:///vhost')).toEqual([{ ...guest, hostname: 'localhost' }]);
  });

  test('takes IPv6 addresses in brackets', () => {
    expect(hosts('rabbit://u:p@[fd00::1]:5673,u:p@[::1]/')).toMatchObject([
      { hostname: 'fd00::1', port: 5673 },
      { hostname: '::1', port: 5672 },
    ]);
    expect(hosts('rabbit://u:p@[fd00::1]:5673/').map(brokerName)).toEqual(['[fd00::1]:5673']);
    expect(brokerName({ hostname: 'mq1', port: 1 })).toBe('mq1:1');
  });

  test.each([
    ['rabbit://h', '/'],
    ['rabbit://h/', '/'],
    ['rabbit://h//', '/'],
    ['rabbit://h/%2F', '/'],
    ['rabbit://h/%2Fneutron', '/neutron'],
    ['rabbit://h/a/b', 'a/b'],
    ['rabbit://h/neutron?ssl=true', 'neutron'],
    ['rabbit://h?ssl=true', '/'],
  ])('%s: virtual host %s', (url, virtualHost) => {
    expect(parseTransportUrl(url)).toMatchObject({ virtualHost, hosts: [{ hostname: 'h' }] });
  });

  test('keeps what the query says', () => {
    expect([...parseTransportUrl('rabbit://h/v?ssl=1&ssl_ca_file=%2Fetc%2Fca.pem').query]).toEqual([
      ['ssl', '1'],
      ['ssl_ca_file', '/etc/ca.pem'],
    ]);
  });

  test('takes kombu as another name of rabbit, and an @ in the user as it is', () => {
    expect(hosts('kombu://me@site:p@h/')).toMatchObject([{ hostname: 'h', username: 'me@site', password: 'p' }]);
  });

  test('reads back any user, password and virtual host that is encoded', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), fc.string(), fc.string(), (user, password, vhost) => {
        const encoded = [user, password].map(encodeURIComponent).join(':');
        const url = parseTransportUrl(`rabbit://${encoded}@h:1,${encoded}@[::1]/${encodeURIComponent(vhost)}`);
        expect(url.hosts).toMatchObject([
          { username: user, password, port: 1 },
          { username: user, password, hostname: '::1' },
        ]);
        expect(url.virtualHost).toBe(vhost || '/');
      }),
    );
  });

  test('keeps a % that is none of an encoding, as Python does', () => {
    expect(hosts('rabbit://u:100%sure@h/')).toMatchObject([{ password: '100%sure' }]);
  });

  test.each([
    ['amqp://u:p@h/', /begin with rabbit:.*not amqp:/],
    ['mq1:5672', /begin with rabbit:/],
    ['', /begin with rabbit:/],
    ['rabbit://u:p@h:0/', /host 1 .* port from 1 to 65535/],
    ['rabbit://u:p@h:65536/', /host 1/],
    ['rabbit://u:p@a:1,u:p@b:x/', /host 2/],
    ['rabbit://u:p@fd00::1/', /IPv6 in brackets/],
    ['rabbit://u:p@[fd00::1/', /host 1/],
    [`rabbit://${'h,'.repeat(101)}/`, /101 hosts/],
  ])('%s is refused', (url, why) => {
    expect(() => parseTransportUrl(url)).toThrow(why);
  });

  test('shows no part of a password when it is refused', () => {
    for (const url of ['rabbit://u:se/cret@h/', 'rabbit://u:secret@h:x/', 'rabbit://u:se?cret@h', 'x://u:secret@h']) {
      expect(() => parseTransportUrl(url)).toThrow(/^(?!.*(secret|cret)).*$/s);
    }
  });
});
