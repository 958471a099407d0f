import { describe, expect, test } from 'vitest';
import { canonicalNetwork } from '../../../../src/agents/dhcp/answers/canonical.ts';
import { isSameForDhcp } from '../../../../src/agents/dhcp/answers/inputs.ts';
import { networkAnswers, shapesNetwork } from '../../../../src/agents/dhcp/answers/network.ts';
import { portAnswers } from '../../../../src/agents/dhcp/answers/port.ts';
import { type Config, defaultConfig } from '../../../../src/config/options.ts';
import type { NetworkInfo, PortDocument, SubnetDocument } from '../../../../src/rpc/documents.ts';
import { network, port, subnet } from '../documents.ts';

const config = (options: Partial<Config['DEFAULT']> = {}): Config => {
  const defaults = defaultConfig();
  return { ...defaults, DEFAULT: { ...defaults.DEFAULT, ...options } };
};
const s1 = (more: Partial<SubnetDocument> = {}) => subnet('n1', { id: 's1', ...more });
const six = (more: Partial<SubnetDocument> = {}) =>
  subnet('n1', { id: 's6', cidr: 'fd00::/64', ip_version: 6, gateway_ip: 'fd00::1', ...more });
const net = (subnets: readonly SubnetDocument[], ports: readonly PortDocument[] = []): NetworkInfo =>
  network({ id: 'n1', subnets, ports });
const at = (subnet_id: string, ip_address: string) => ({ fixed_ips: [{ subnet_id, ip_address }] });
const own = port('n1', { device_owner: 'network:dhcp', ...at('s1', '10.0.0.2') });
const optionsOf = (info: NetworkInfo, options: Partial<Config['DEFAULT']> = {}) =>
  networkAnswers(info, config(options), { ownPortIds: [own.id] }).subnets[0]?.options;

describe('what the hosts of a subnet get', () => {
  test('its router, the answering server for DNS, and no routes where there is nothing to route', () => {
    expect(optionsOf(net([s1()], [own]))).toEqual({
      dnsServers: 'itself',
      domainSearch: undefined,
      routes: [],
      router: '10.0.0.1',
    });
  });

  test('its own routes with the default route behind them, and no second default route', () => {
    const host_routes = [
      { destination: '0.0.0.0/0', nexthop: '10.0.0.9' },
      { destination: '10.9.0.0/16', nexthop: '10.0.0.8' },
    ];
    const routes = [host_routes[1], { destination: '0.0.0.0/0', nexthop: '10.0.0.1' }];
    expect(optionsOf(net([s1({ host_routes })]))).toMatchObject({ router: '10.0.0.1', routes });
    expect(optionsOf(net([s1({ host_routes, gateway_ip: null })]))?.router).toBe('10.0.0.9');
  });

  test('other subnets of the network on the link', () => {
    const other = subnet('n1', { id: 's2', cidr: '10.0.50.0/24' });
    expect(optionsOf(net([s1(), other]))?.routes).toContainEqual({ destination: '10.0.50.0/24', nexthop: '0.0.0.0' });
  });

  test.each([
    [
      'over the router',
      [port('n1', { device_owner: 'network:router_interface', ...at('s1', '10.0.0.1') })],
      {},
      '10.0.0.1',
    ],
    ['over the agent where it is isolated', [own], { enable_isolated_metadata: true }, '10.0.0.2'],
    ['over the agent where that is forced', [own], { force_metadata: true }, '10.0.0.2'],
    ['nowhere otherwise', [own], {}, undefined],
  ])('the metadata service: %s', (_, ports, options, nexthop) => {
    const routes = optionsOf(net([s1()], ports), options)?.routes ?? [];
    expect(routes.find(({ destination }) => destination === '169.254.169.254/32')?.nexthop).toBe(nexthop);
  });

  test('the named DNS servers, none at all, or all DHCP ports', () => {
    const other = port('n1', { device_owner: 'network:dhcp', ...at('s1', '10.0.0.3') });
    expect(optionsOf(net([s1({ dns_nameservers: ['192.0.2.1'] })], [own, other]))?.dnsServers).toEqual(['192.0.2.1']);
    expect(optionsOf(net([s1({ dns_nameservers: ['0.0.0.0'] })]))?.dnsServers).toBe('none');
    expect(optionsOf(net([s1()], [own, other]))?.dnsServers).toEqual(['10.0.0.2', '10.0.0.3']);
  });

  test.each([
    ['dhcpv6-stateful', null, 'dhcp', true, true],
    ['dhcpv6-stateless', 'dhcpv6-stateless', 'stateless', true, true],
    ['slaac', 'slaac', 'slaac', false, false],
    [null, 'slaac', 'dhcp', false, true],
    [null, null, 'dhcp', true, true],
  ])('IPv6, address mode %s and router advertisements %s: %s', (mode, ra, addressing, answered, hasOptions) => {
    const info = net([six({ ipv6_address_mode: mode, ipv6_ra_mode: ra })]);
    const [made] = networkAnswers(info, config()).subnets;
    expect(made).toMatchObject({ addressing, answered });
    expect(made?.options !== undefined).toBe(hasOptions);
  });

  test('a subnet that cannot be read is left out and named', () => {
    const made = networkAnswers(net([s1({ id: 'bad', cidr: '10.0.0.0/33' }), s1()]), config());
    expect(made.subnets.map(({ id }) => id)).toEqual(['s1']);
    expect(made.refused).toEqual([{ owner: 'subnet bad', reason: expect.stringContaining('10.0.0.0/33') }]);
  });

  test('the network at large: MTU, lease time, domain, metadata', () => {
    expect(networkAnswers(net([s1()]), config({ dhcp_lease_duration: -1, dns_domain: 'x.org' }))).toMatchObject({
      enableDhcp: true,
      enableMetadata: false,
      mtu: 1450,
      leaseSeconds: 'infinite',
      domain: 'x.org',
    });
    expect(networkAnswers(net([s1({ enable_dhcp: false })]), config()).enableDhcp).toBe(false);
  });
});

describe('what a port gets', () => {
  const answers = networkAnswers(
    net([s1(), six({ ipv6_address_mode: 'dhcpv6-stateless' })]),
    config({ dns_domain: 'x.org' }),
  );

  test('its address as a lease, under a generated name', () => {
    const one = port('n1', { mac_address: 'FA:16:3E:00:00:01', ...at('s1', '10.0.0.5') });
    expect(portAnswers(one, answers)).toMatchObject({
      mac: 'fa:16:3e:00:00:01',
      clientId: undefined,
      addresses: [
        { address: '10.0.0.5', gets: 'lease', names: { hostname: 'host-10-0-0-5', fqdn: 'host-10-0-0-5.x.org' } },
      ],
      options: [],
      refused: [],
    });
  });

  test('the names that the server assigned', () => {
    const names = { ip_address: '10.0.0.5', hostname: 'vm', fqdn: 'vm.x.org.' };
    const one = port('n1', { dns_assignment: [names], ...at('s1', '10.0.0.5') });
    expect(portAnswers(one, answers).addresses[0]?.names).toMatchObject({ hostname: 'vm', fqdn: 'vm.x.org.' });
  });

  test('its client id apart from its options, and options of its own families alone', () => {
    const option = (opt_name: string, opt_value: string, ip_version: 4 | 6 = 4) => ({
      opt_name,
      opt_value,
      ip_version,
    });
    const extra_dhcp_opts = [option('61', 'me'), option('router', ''), option('ntp-server', '::1', 6)];
    const made = portAnswers(port('n1', { extra_dhcp_opts, ...at('s1', '10.0.0.5') }), answers);
    expect(made).toMatchObject({ clientId: 'me', hasOptions: true, options: [option('router', '')] });
  });

  test('options alone where it makes its address itself, if it has any; a name only where its subnet is not served', () => {
    const extra_dhcp_opts = [{ opt_name: 'ntp-server', opt_value: '::1', ip_version: 6 as const }];
    const gets = (one: PortDocument) => portAnswers(one, answers).addresses.map((address) => address.gets);
    expect(gets(port('n1', { extra_dhcp_opts, ...at('s6', 'fd00::5') }))).toEqual(['options']);
    expect(gets(port('n1', at('s6', 'fd00::5')))).toEqual(['name']);
    expect(gets(port('n1', at('elsewhere', '10.9.0.5')))).toEqual(['name']);
  });

  test.each(['network:dhcp', 'network:floatingip'])('nothing, when it is owned by %s', (device_owner) => {
    expect(portAnswers(port('n1', { device_owner, ...at('s1', '10.0.0.5') }), answers)).toMatchObject({
      mac: undefined,
      addresses: [],
    });
  });

  test('nothing for a MAC address that is none; no lease for an address of the other family; both named', () => {
    expect(portAnswers(port('n1', { mac_address: 'x', ...at('s1', '10.0.0.5') }), answers).refused).toHaveLength(1);
    const odd = portAnswers(port('n1', at('s1', 'fd00::5')), answers);
    expect(odd.addresses.map(({ gets }) => gets)).toEqual(['name']);
    expect(odd.refused[0]?.reason).toContain('10.0.0.0/24');
  });
});

test('ports of DHCP agents and routers shape a network, others do not', () => {
  const owners = ['network:dhcp', 'network:router_interface', 'compute:nova', 'network:floatingip', ''];
  expect(owners.map((device_owner) => shapesNetwork({ device_owner }))).toEqual([true, true, false, false, false]);
});

test('two documents of a port are the same for DHCP when only what it does not answer differs', () => {
  const one = port('n1', at('s1', '10.0.0.5'));
  expect(
    isSameForDhcp(one, {
      ...one,
      status: 'ACTIVE',
      name: 'other',
      revision_number: 9,
      dns_assignment: [],
    } as PortDocument),
  ).toBe(true);
  for (const other of [
    at('s1', '10.0.0.6'),
    { mac_address: 'fa:16:3e:ff:ff:ff' },
    { device_owner: 'x' },
    { device_id: 'x' },
  ]) {
    expect(isSameForDhcp(one, { ...one, ...other })).toBe(false);
  }
});

test('a network told in another order is the same network', () => {
  const [a, b] = [port('n1'), port('n1')];
  const subnets = [s1(), six()];
  expect(canonicalNetwork(net(subnets.toReversed(), [b, a]))).toEqual(canonicalNetwork(net(subnets, [a, b])));
});
