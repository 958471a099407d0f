import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ExtraDhcpOpt } from '../../../../../src/rpc/documents.ts';
import { advertise, Dhclient, Dhcpcd } from './ipv6-clients.ts';
import { isRoot, macOf, World } from './world.ts';

const hex = (text: string) => Buffer.from(text).toString('hex');
/** Arguments of udhcpc: what clients that boot over the network ask for and send. */
const ASKED = [66, 67, 150, 210].flatMap((option) => ['-O', String(option)]);
const IPXE = ['-x', `0x${(175).toString(16)}:b50101`, '-x', `0x4d:${hex('\x04iPXE')}`];
const HTTP_CLIENT = ['-V', 'HTTPClient:Arch:00016:UNDI:003001', '-x', '0x5d:0010'];

/** What Ironic sets for a node whose firmware loads iPXE by TFTP, which then loads a script by HTTP. */
const IRONIC = {
  'tag:!ipxe,67': 'undionly.kpxe',
  'tag:ipxe,67': 'http://192.0.2.1:8080/boot.ipxe',
  '66': '192.0.2.1',
  '150': '192.0.2.1',
  'server-ip-address': '192.0.2.1',
};

interface Case {
  readonly what: string;
  readonly options: Readonly<Record<string, string>>;
  readonly sends?: readonly string[];
  readonly told?: Readonly<Record<string, string>>;
  /** What it must not be told, under udhcpc's names. */
  readonly absent?: readonly string[];
}

const CASES: readonly Case[] = [
  {
    what: 'Ironic, firmware',
    options: IRONIC,
    told: { bootfile: 'undionly.kpxe', tftp: '192.0.2.1', opt150: 'c0000201', siaddr: '192.0.2.1' },
  },
  {
    what: 'Ironic, iPXE',
    options: IRONIC,
    sends: IPXE,
    told: { bootfile: 'http://192.0.2.1:8080/boot.ipxe', tftp: '192.0.2.1', siaddr: '192.0.2.1' },
  },
  {
    what: 'names instead of numbers',
    options: { 'tag:!ipxe,bootfile-name': 'grub', 'tag:ipxe,bootfile-name': 'script', 'tftp-server': '192.0.2.9' },
    told: { bootfile: 'grub', tftp: '192.0.2.9', siaddr: '10.0.0.2' },
  },
  {
    what: 'an option of iPXE that firmware must not see, with several tags',
    options: { '67': 'plain', 'tag:ipxe,tag:!other,210': '/prefix/' },
    told: { bootfile: 'plain' },
    absent: ['pxepathprefix'],
  },
  {
    what: 'the same, iPXE',
    options: { '67': 'plain', 'tag:ipxe,tag:!other,210': '/prefix/' },
    sends: IPXE,
    told: { bootfile: 'plain', pxepathprefix: '/prefix/' },
  },
  {
    what: 'UEFI HTTP boot, by a tag of the operator’s file',
    options: { 'tag:http,67': 'http://192.0.2.1/shim.efi', 'tag:http,60': 'HTTPClient', 'tag:!http,67': 'shim.efi' },
    sends: [...HTTP_CLIENT, '-O', '60'],
    told: { bootfile: 'http://192.0.2.1/shim.efi', vendor: 'HTTPClient' },
  },
  {
    what: 'several addresses in one value',
    options: { '150': '192.0.2.1,192.0.2.2' },
    told: { opt150: 'c0000201c0000202' },
  },
  {
    what: 'a client id, by number',
    options: { '61': 'ff:00:11:22', '67': 'by-id' },
    sends: ['-C', '-x', '0x3d:ff001122'],
    told: { bootfile: 'by-id' },
  },
  {
    what: 'no router, as a blank value says',
    options: { router: '' },
    absent: ['router'],
  },
];

describe.skipIf(!isRoot)('what machines that boot over the network are told (needs root)', () => {
  let world: World;
  const first = 11;
  const opts = (options: Readonly<Record<string, string>>, ip_version: 4 | 6): ExtraDhcpOpt[] =>
    Object.entries(options).map(([opt_name, opt_value]) => ({ opt_name, opt_value, ip_version }));
  const [FIRMWARE, IPXE6] = [0x60, 0x61];
  const urls = {
    'tag:!ipxe6,59': 'tftp://[fd00:6::9]/snponly.efi',
    'tag:ipxe6,59': 'http://[fd00:6::9]/boot.ipxe',
    '60': 'quiet',
  };

  beforeAll(async () => {
    world = await World.create();
    const file = join(world.state, 'operator.conf');
    await writeFile(file, 'dhcp-match=set:http,option:client-arch,16\n');
    const ports = CASES.map(({ options }, i) => world.port(first + i, { extra_dhcp_opts: opts(options, 4) }));
    const six = [FIRMWARE, IPXE6].map((n) =>
      world.port(n, {
        fixed_ips: [{ subnet_id: 's6', ip_address: `fd00:6::${n.toString(16)}` }],
        extra_dhcp_opts: opts(urls, 6),
      }),
    );
    const stateful = { ipv6_ra_mode: 'dhcpv6-stateful', ipv6_address_mode: 'dhcpv6-stateful' };
    const subnets = [world.subnet(), world.subnet('s6', 'fd00:6::/64', { ip_version: 6, ...stateful })];
    await world.addAddress('fd00:6::2/64');
    await world.driver({ dnsmasq_config_file: file }).serve(world.wanted([...ports, ...six], { subnets }));
  });
  afterAll(() => world?.close());

  test.each(CASES.map((one, i) => [one.what, one, i] as const))(
    '%s',
    async (_, { sends = [], told, absent = [] }, i) => {
      const answer = await (await world.client(first + i)).ask([...ASKED, ...sends]);
      expect(answer).toMatchObject({ ip: `10.0.0.${first + i}`, ...told });
      expect(Object.keys(answer ?? {}).filter((name) => absent.includes(name))).toEqual([]);
    },
  );

  test('DHCPv6: firmware gets the boot file and its parameters', async () => {
    const client = await Dhclient.create(world, macOf(FIRMWARE));
    expect(await client.ask({ request: ['bootfile-url', 'bootfile-param'] })).toMatchObject({
      new_ip6_address: 'fd00:6::60',
      new_dhcp6_bootfile_url: urls['tag:!ipxe6,59'],
      new_dhcp6_bootfile_param: '0:5:71:75:69:65:74',
    });
  });

  test('DHCPv6: iPXE, which says so in its user class, gets its script', async () => {
    await advertise(world, 'fd00:6::/64', ['managed', 'other']);
    const client = await Dhcpcd.create(world, macOf(IPXE6));
    expect(await client.boot('BOUND6', 'userclass iPXE\noption dhcp6_bootfile_url\n')).toMatchObject({
      new_dhcp6_ia_na1_ia_addr1: 'fd00:6::61',
      new_dhcp6_bootfile_url: urls['tag:ipxe6,59'],
    });
  });

  test('dnsmasq has understood every line', async () => {
    expect((await world.read('log')).split('\n').filter((line) => / at line \d+ of /.test(line))).toEqual([]);
  });
});
