import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { networkOfApi } from '../../src/cli/dhcp/network-of-api.ts';
import { renderDhcp } from '../../src/cli/dhcp/render.ts';
import { type Neutron, neutronAt } from '../../src/lab/neutron.ts';
import { dhcpDeviceId } from '../../src/net/dhcp-device-id.ts';

const FOLDER = new URL('../fixtures/vectors/dnsmasq/', import.meta.url);
const vector = (name: string) =>
  JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')) as {
    config: Record<string, unknown>;
    network: object;
    expected: Record<string, unknown>;
  };
const asText = (config: Record<string, unknown>) =>
  Object.entries(config).map(([name, value]) => `${name}=${Array.isArray(value) ? value.join(',') : value}`);

const subnet = { id: 's1', cidr: '10.0.0.0/24', ip_version: 4, enable_dhcp: true };
const port = { id: 'p1', mac_address: 'fa:16:3e:00:00:01', fixed_ips: [{ subnet_id: 's1', ip_address: '10.0.0.5' }] };
const network = { id: 'n1', subnets: [subnet], ports: [port] };

describe('dhcp render', () => {
  test.each(readdirSync(FOLDER))('%s, with options as text, yields exactly the expected keys', (name) => {
    const { config, network, expected } = vector(name);
    const made = renderDhcp(JSON.stringify(network), asText(config));
    expect(Object.keys(made).sort()).toEqual(Object.keys(expected).sort());
    expect(String(made.host).split('\n').sort()).toEqual((expected.host as string).split('\n').sort());
    expect(made.cmdline).toEqual(expect.arrayContaining(expected.cmdline as string[]));
  });

  test('a whole vector file is read as its network', () => {
    const whole = readFileSync(new URL('0007.json', FOLDER), 'utf8');
    const { config, network } = vector('0007.json');
    expect(renderDhcp(whole, asText(config)).opts).toBe(renderDhcp(JSON.stringify(network), asText(config)).opts);
  });

  test('attributes without effect may be missing', () => {
    const { host } = renderDhcp(JSON.stringify(network), []);
    expect(host).toBe('fa:16:3e:00:00:01,host-10-0-0-5.openstacklocal,10.0.0.5\n');
  });

  test('options of the agent take effect, including paths', () => {
    const { host, cmdline } = renderDhcp(JSON.stringify(network), ['dns_domain=', 'state_path=/srv/neutrino']);
    expect(host).toBe('fa:16:3e:00:00:01,host-10-0-0-5,10.0.0.5\n');
    expect(cmdline).toContain('--pid-file=/srv/neutrino/dhcp/n1/pid');
    expect((cmdline as string[]).some((one) => one.startsWith('--domain'))).toBe(false);
  });

  test('leases expire after the lease time, and never if it is -1', () => {
    const { leases } = renderDhcp(JSON.stringify(network), ['dhcp_lease_duration=1000']);
    const expires = Number(String(leases).split(' ')[0]);
    expect(Math.abs(expires - Date.now() / 1000 - 1000)).toBeLessThan(100);
    expect(renderDhcp(JSON.stringify(network), ['dhcp_lease_duration=-1']).leases).toMatch(/^0 fa:16:3e:00:00:01 /);
  });

  test('values that dnsmasq cannot represent are omitted with a warning', () => {
    const named = { ...port, dns_assignment: [{ ip_address: '10.0.0.5', hostname: 'a\nb', fqdn: 'a\nb.' }] };
    const warnings: string[] = [];
    const made = renderDhcp(JSON.stringify({ ...network, ports: [named] }), [], (text) => warnings.push(text));
    expect(made.host).toBe('fa:16:3e:00:00:01,host-10-0-0-5.openstacklocal,10.0.0.5\n');
    expect(warnings).toEqual([expect.stringMatching(/^port p1: host name "a\\nb": must be /)]);
  });
});

describe('dhcp render rejects invalid input with an error that names it:', () => {
  test.each([
    ['no JSON', '{', [], /^not JSON: /],
    ['not an object', '[]', [], /the document must be object/],
    ['no ports', JSON.stringify({ id: 'n1', subnets: [] }), [], /must have required property 'ports'/],
    [
      'a port without MAC',
      JSON.stringify({ ...network, ports: [{ id: 'p1', fixed_ips: [] }] }),
      [],
      /ports\.0 .*'mac_address'/,
    ],
    [
      'an address that is a number',
      JSON.stringify({ ...network, ports: [{ ...port, fixed_ips: [{ subnet_id: 's1', ip_address: 5 }] }] }),
      [],
      /ports\.0\.fixed_ips\.0\.ip_address must be string/,
    ],
    [
      'IP version 5',
      JSON.stringify({ ...network, subnets: [{ ...subnet, ip_version: 5 }] }),
      [],
      /ip_version .*: 4, 6/,
    ],
    ['a network id with a slash', JSON.stringify({ ...network, id: '../x' }), [], /id "\.\.\/x": must be/],
    ['an option without value', JSON.stringify(network), ['dns_domain'], /--option "dns_domain": must be name=value/],
    ['an unknown option', JSON.stringify(network), ['dns_domian=x'], /dns_domian: no such option/],
    [
      'a bad value',
      JSON.stringify(network),
      ['dhcp_lease_duration=soon'],
      /dhcp_lease_duration = "soon".*whole number/,
    ],
    [
      'several wrong options, which are reported at once',
      JSON.stringify(network),
      ['dns_domain', 'dns_domain=a', 'dns_domian=x', 'dhcp_lease_duration=soon'],
      /^--option "dns_domain": .*\n.*dns_domian: no such option.*\n.*dhcp_lease_duration = "soon".*$/,
    ],
  ])('%s', (_, text, options, message) => {
    expect(() => renderDhcp(text, options)).toThrow(message);
  });
});

describe('a network of the running Neutrino', () => {
  test('is read with all its subnets and ports, page by page, and with the DHCP port of this host', async () => {
    const own = { id: 'p2', device_id: dhcpDeviceId('lab1', 'n1') };
    const answers: Record<string, unknown> = {
      '/v2.0/subnets?network_id=n1': { subnets: [subnet] },
      '/v2.0/ports?network_id=n1': {
        ports: [port],
        ports_links: [{ rel: 'next', href: 'http://elsewhere/v2.0/ports?network_id=n1&marker=p1' }],
      },
      '/v2.0/ports?network_id=n1&marker=p1': { ports: [own], ports_links: [{ rel: 'previous', href: 'x' }] },
    };
    const api: Neutron = {
      ...neutronAt('http://127.0.0.1:9'),
      findNetwork: async () => ({ id: 'n1', name: 'net1', mtu: 1450 }),
      request: async (_method, path) => answers[path],
    };
    expect(await networkOfApi(api, 'net1', 'lab1')).toEqual({
      document: { id: 'n1', name: 'net1', mtu: 1450, subnets: [subnet], ports: [port, own] },
      ownPortId: 'p2',
    });
  });
});
