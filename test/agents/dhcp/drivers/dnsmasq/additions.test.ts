import { describe, expect, test } from 'vitest';
import { additions, type Texts } from '../../../../../src/agents/dhcp/drivers/dnsmasq/additions.ts';

const text = (...lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');
const port = (n: number, address = `10.0.0.${n}`): Texts => ({
  host: text(`fa:16:3e:00:00:0${n},vm-${n}.x.,${address},set:port-${n}`),
  addnHosts: text(`${address}\tvm-${n}.x. vm-${n}`),
  opts: text(`tag:port-${n},option:bootfile-name,b${n}`),
});
const all = (...ports: readonly Texts[]): Texts => ({
  host: ports.map(({ host }) => host).join(''),
  addnHosts: ports.map(({ addnHosts }) => addnHosts).join(''),
  opts: text('tag:subnet-s,option:router,10.0.0.1') + ports.map(({ opts }) => opts).join(''),
});
const change = (one: Texts, what: keyof Texts, from: string | RegExp, to: string): Texts => ({
  ...one,
  [what]: one[what].replace(from, to),
});

describe('what dnsmasq can be given in addition', () => {
  const before = all(port(2), port(4));

  test('is the lines of new ports, wherever they stand', () => {
    expect(additions(before, before)).toEqual({ host: '', addnHosts: '', opts: '' });
    expect(additions(before, all(port(1), port(2), port(3), port(4), port(5)))).toEqual({
      host: port(1).host + port(3).host + port(5).host,
      addnHosts: port(1).addnHosts + port(3).addnHosts + port(5).addnHosts,
      opts: port(1).opts + port(3).opts + port(5).opts,
    });
  });

  test.each<[what: string, after: Texts]>([
    ['a port fewer', all(port(2))],
    ['another order', all(port(4), port(2))],
    ['another address', all(port(2), port(4, '10.0.0.9'))],
    ['another value of an option', change(all(port(2), port(4)), 'opts', 'b4', 'other')],
    ['another option of a known port', change(before, 'opts', /$/, 'tag:port-4,option:ntp-server,10.0.0.1\n')],
    ['an option of a subnet', change(before, 'opts', /^/, 'tag:subnet-s,option:dns-server,10.0.0.1\n')],
    ['options of a port that had none', change(before, 'host', ',set:port-4', '')],
    ['a line of a known MAC address', all(port(2), port(4), change(port(5), 'host', '0:05', '0:04'))],
    ['a known address', all(port(2), port(4), port(5, '10.0.0.2'))],
    ['a name more for a known address', change(before, 'addnHosts', /$/, '10.0.0.2\tother\n')],
  ])('is not %s', (_, after) => expect(additions(before, after)).toBeUndefined());

  test.each([
    ['client id', 'fa:16:3e:00:00:01,id:01:02,vm-1,10.0.0.1', 'fa:16:3e:00:00:02,id:01:02,vm-2,10.0.0.2'],
    ['IPv6 address', 'fa:16:3e:00:00:01,tag:dhcpv6,vm-1,[fd00::1]', 'fa:16:3e:00:00:02,tag:dhcpv6,vm-2,[fd00::1]'],
  ])('is not a line with a known %s', (_, one, two) => {
    const host = text(one);
    expect(additions({ ...before, host }, { ...before, host: host + text(two) })).toBeUndefined();
  });
});
