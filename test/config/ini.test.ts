import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseIni } from '../../src/config/ini.ts';
import { ConfigError } from '../../src/config/parse.ts';

describe('parseIni', () => {
  it('reads sections, both assignment signs, comments, quotes and repeated names with their lines', () => {
    const source = [
      '# a comment',
      '[DEFAULT]',
      'bind_port = 9700',
      'transport_url: rabbit://a=b:c@host/',
      '; another',
      'dns_domain = "example.org"',
      'bind_port=9701',
      '[ml2]',
      'empty =',
    ].join('\n');
    expect(parseIni(source, 'a.conf')).toEqual([
      { section: 'DEFAULT', name: 'bind_port', text: '9700', line: 3 },
      { section: 'DEFAULT', name: 'transport_url', text: 'rabbit://a=b:c@host/', line: 4 },
      { section: 'DEFAULT', name: 'dns_domain', text: 'example.org', line: 6 },
      { section: 'DEFAULT', name: 'bind_port', text: '9701', line: 7 },
      { section: 'ml2', name: 'empty', text: '', line: 9 },
    ]);
  });

  it('joins continuation lines until a blank line, a comment or the next name', () => {
    const source =
      '[ml2]\ntype_drivers = flat,\n  vlan,\n\tvxlan\npath_mtu = 1\n  2\n\n[agent]\r\nreport_interval = 5\r\n';
    expect(parseIni(source, 'a.conf')).toEqual([
      { section: 'ml2', name: 'type_drivers', text: 'flat,\nvlan,\nvxlan', line: 2 },
      { section: 'ml2', name: 'path_mtu', text: '1\n2', line: 5 },
      { section: 'agent', name: 'report_interval', text: '5', line: 9 },
    ]);
  });

  it.each([
    ['[DEFAULT\n', 'a.conf:1: a section must be written as [name]'],
    ['[]\n', 'a.conf:1: a section must be written as [name]'],
    ['x = 1\n', 'a.conf:1: a section such as [DEFAULT] must come first'],
    ['[DEFAULT]\nbind_port\n', 'a.conf:2: expected name = value'],
    ['[DEFAULT]\n= 5\n', 'a.conf:2: a name is missing'],
    ['[DEFAULT]\n  vlan\n', 'a.conf:2: an indented line continues the value above'],
    ['[DEFAULT]\na = 1\n\n  2\n', 'a.conf:4: an indented line continues the value above'],
  ])('refuses %j with its line', (source, message) => {
    expect(() => parseIni(source, 'a.conf')).toThrow(message);
  });

  it('never fails with anything but a ConfigError', () => {
    const character = fc.constantFrom('[', ']', '=', ':', '#', ' ', '\t', '\n', '\r', '"', 'a', 'é', '\0');
    fc.assert(
      fc.property(fc.string({ unit: character, maxLength: 60 }), (source) => {
        try {
          for (const entry of parseIni(source, 'any')) expect(entry.name).not.toBe('');
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigError);
        }
      }),
    );
  });
});
