import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { renderLeases, renderNetwork } from '../../../../../src/agents/dhcp/drivers/dnsmasq/render.ts';
import type { NetworkInfo, PortDocument, SubnetDocument } from '../../../../../src/rpc/documents.ts';
import { codePoint } from '../../../../support/code-point.ts';
import { config, port, subnet } from './documents.ts';

/** Text that tries to break out: separators, control characters, words that mean something to dnsmasq. */
const nasty = fc.oneof(
  fc.string({ unit: codePoint, maxLength: 40 }),
  fc
    .array(
      fc.constantFrom(
        '\n',
        '\r',
        '\0',
        ',',
        '\t',
        ' ',
        '"',
        '\\',
        '#',
        '\u2028',
        '=',
        'tag:',
        'set:x',
        'id:',
        'ignore',
        '10.0.0.9',
        '[::1]',
        'a',
        'vm.org',
        '%',
        '/24',
        '::1',
        'fa:16:3e:00:00:09',
      ),
      { maxLength: 12 },
    )
    .map((parts) => parts.join('')),
  fc.string({ minLength: 900, maxLength: 1200 }),
);
const mixed = (sound: fc.Arbitrary<string>) =>
  fc.oneof({ arbitrary: sound, weight: 3 }, { arbitrary: nasty, weight: 2 });

const version = fc.constantFrom(4 as const, 6 as const);
const anyAddress = mixed(fc.oneof(fc.ipV4(), fc.ipV6()));
const subnetId = fc.constantFrom('s1', 's2', 's6');

const anyPort: fc.Arbitrary<PortDocument> = fc
  .record({
    id: mixed(fc.uuid()),
    network_id: fc.constant('n1'),
    mac_address: mixed(fc.constant('fa:16:3e:aa:bb:cc')),
    admin_state_up: fc.boolean(),
    status: nasty,
    device_id: nasty,
    device_owner: fc.constantFrom('compute:nova', 'network:dhcp', 'network:router_interface'),
    fixed_ips: fc.array(fc.record({ subnet_id: subnetId, ip_address: anyAddress }), { maxLength: 3 }),
    dns_assignment: fc.array(
      fc.record({ ip_address: anyAddress, hostname: mixed(fc.constant('vm')), fqdn: mixed(fc.constant('vm.org.')) }),
      { maxLength: 3 },
    ),
    extra_dhcp_opts: fc.array(
      fc.record({
        opt_name: mixed(fc.constantFrom('client-id', '61', 'router', 'tag:ipxe,bootfile-name')),
        opt_value: nasty,
        ip_version: version,
      }),
      { maxLength: 3 },
    ),
  })
  .map((made) => ({
    ...made,
    // A name counts only for an address that the port has.
    dns_assignment: made.dns_assignment.map((one, i) => ({ ...one, ip_address: made.fixed_ips[i]?.ip_address ?? '' })),
  }));

const anySubnet: fc.Arbitrary<SubnetDocument> = fc.record({
  id: mixed(fc.constantFrom('s2', 's6')),
  network_id: fc.constant('n1'),
  cidr: mixed(fc.constantFrom('10.0.0.0/24', 'fd00::/64')),
  ip_version: version,
  enable_dhcp: fc.boolean(),
  gateway_ip: fc.option(anyAddress),
  dns_nameservers: fc.array(anyAddress, { maxLength: 2 }),
  host_routes: fc.array(fc.record({ destination: mixed(fc.constant('10.7.0.0/16')), nexthop: anyAddress }), {
    maxLength: 2,
  }),
  allocation_pools: fc.constant([]),
  ipv6_ra_mode: fc.constant(null),
  ipv6_address_mode: fc.constantFrom(null, 'slaac', 'dhcpv6-stateful', 'dhcpv6-stateless'),
});

const anyNetwork: fc.Arbitrary<NetworkInfo> = fc.record({
  id: fc.constant('n1'),
  admin_state_up: fc.boolean(),
  mtu: fc.constantFrom(0, 1500),
  tenant_id: nasty,
  subnets: fc.array(anySubnet, { maxLength: 3 }).map((some) => [subnet('s1', '10.0.0.0/24'), ...some]),
  non_local_subnets: fc.array(anySubnet, { maxLength: 1 }),
  ports: fc.array(anyPort, { maxLength: 4 }).map((some) => [...some, port(2)]),
});

const options = fc.record({
  dns_domain: mixed(fc.constant('example.org')),
  dnsmasq_enable_addr6_list: fc.boolean(),
  force_metadata: fc.boolean(),
});

const MAC = '[0-9a-f]{2}(:[0-9a-f]{2}){5}';
const ID = '[A-Za-z0-9][A-Za-z0-9-]*';
const V4 = '\\d+(\\.\\d+){3}';
const V6 = '[0-9a-f:.]+';
const NAME = '[A-Za-z0-9][A-Za-z0-9_.-]*';
const HOST = new RegExp(
  `^${MAC}(,tag:dhcpv6)?((,id:[^,\\s"#\\\\]+)?,${NAME}(,(${V4}|\\[${V6}\\]))+(,set:port-${ID})?|,set:port-${ID})$`,
  'i',
);
const ADDN = new RegExp(`^(${V4}|${V6})\\t${NAME} ${NAME}$`, 'i');
const OPTS = new RegExp(
  `^tag:(port|subnet)-${ID}(,tag:!?[\\w-]+)*,(option6?:)?[A-Za-z0-9-]+(,[^\\u0000-\\u001f\\u007f]*)?$`,
  'i',
);
const LEASE = new RegExp(`^\\d+ ${MAC} ${V4} \\* \\*$`);

describe('external text', () => {
  test('never leaves its field, and never keeps another port from being served', () => {
    fc.assert(
      fc.property(anyNetwork, options, (info, chosen) => {
        const made = renderNetwork(info, config(chosen));
        const lines = (text: string) => {
          expect(text === '' || text.endsWith('\n')).toBe(true);
          return text.split('\n').slice(0, -1);
        };
        for (const one of lines(made.host)) expect(one).toMatch(HOST);
        for (const one of lines(made.addnHosts)) expect(one).toMatch(ADDN);
        for (const one of lines(made.opts)) expect(one).toMatch(OPTS);
        for (const one of lines(renderLeases(made.entitled, 5))) expect(one).toMatch(LEASE);
        for (const one of [...lines(made.host), ...lines(made.addnHosts), ...lines(made.opts)]) {
          expect(Buffer.byteLength(one)).toBeLessThan(1024);
        }
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
        expect(made.commandLine.filter((one) => /[\u0000-\u001f]/.test(one))).toEqual([]);
        const last = lines(made.host).at(-1) ?? '';
        expect(last).toMatch(/^fa:16:3e:00:00:02,host-10-0-0-2(\.[^,]+)?,10\.0\.0\.2$/);
        // At most a line an address and one for options, one for every option: nothing was split in two.
        const addresses = info.ports.reduce((sum, { fixed_ips }) => sum + fixed_ips.length, 0);
        expect(lines(made.host).length).toBeLessThanOrEqual(addresses);
        expect(lines(made.addnHosts).length).toBeLessThanOrEqual(addresses);
      }),
      { numRuns: 1000 },
    );
  });
});
