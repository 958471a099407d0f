import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clientCommand, clientScript } from '../../src/lab/client.ts';
import type { Instance } from '../../src/lab/instance.ts';
import { parseEnvironment, parseLease } from '../../src/lab/lease.ts';
import { libvirtXml } from '../../src/lab/libvirt-xml.ts';
import { addressesByDhcp } from '../../src/lab/port-request.ts';
import { qemuCommand } from '../../src/lab/qemu/command.ts';
import { consoleFailures, consoleLeases, consoleTail } from '../../src/lab/qemu/console.ts';
import { renderTable } from '../../src/lab/table.ts';
import { run } from '../../src/linux/run.ts';
import { hostName } from '../../src/net/host-names.ts';

describe('the stored lease', () => {
  test('values cannot be confused with other variables', () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !text.includes('\0')),
        (value) => {
          const variables = parseEnvironment(`event=bound\0hostname=${value}\0ip=10.0.0.5\0`);
          expect(variables).toEqual({ event: 'bound', hostname: value, ip: '10.0.0.5' });
        },
      ),
    );
  });

  test('an event without an address is not a lease', () => {
    expect(parseLease('event=deconfig\0interface=eth0\0', 1)).toBeUndefined();
    expect(parseLease('event=bound\0ip=\0', 1)).toBeUndefined();
    expect(parseLease('', 1)).toBeUndefined();
  });

  test('missing options are null', () => {
    expect(parseLease('event=renew\0ip=10.0.0.5\0NEUTRINO_FOLDER=/x\0PATH=/bin\0opt58=00000e10\0', 7)).toEqual({
      event: 'renew',
      address: '10.0.0.5',
      mask: null,
      prefix: null,
      broadcast: null,
      routers: [],
      dns: [],
      domain: null,
      hostname: null,
      mtu: null,
      leaseSeconds: null,
      server: null,
      staticRoutes: [],
      msStaticRoutes: [],
      ms: 7,
      raw: { event: 'renew', ip: '10.0.0.5', opt58: '00000e10' },
    });
  });
});

test('the client script is a valid shell script', async () => {
  await run(['busybox', 'sh', '-n'], { input: clientScript('/bin/busybox') });
});

test('the client requests each option once', () => {
  const words = clientCommand({
    nic: 'eth1',
    script: '/s',
    pidFile: '/p',
    requestOptions: ['mtu', '66'],
    clientArguments: ['-C'],
  });
  expect(words.slice(0, 8)).toEqual(['udhcpc', '-f', '-i', 'eth1', '-s', '/s', '-p', '/p']);
  expect(words.filter((word) => word === 'mtu')).toHaveLength(1);
  expect(words.join(' ')).toMatch(/-O 66 -C$/);
});

test.each([
  ['vm1', 'vm1'],
  ['My VM_2.', 'my-vm-2'],
  ['Größe', 'groe'],
  ['---', undefined],
  ['ä/ö', 'ao'],
  ['x'.repeat(80), 'x'.repeat(63)],
])('a machine %j is the host %j', (name, host) => {
  expect(hostName(name)).toBe(host);
});

test('host names conform to RFC 1123', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (name) =>
      /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)?$/.test(hostName(name) ?? ''),
    ),
  );
});

test('IPv4 addresses of subnets with DHCP are expected', () => {
  const subnet = (id: string, ip_version: 4 | 6, enable_dhcp: boolean) => ({ id, cidr: '', ip_version, enable_dhcp });
  const fixed_ips = ['a', 'b', 'c', 'd'].map((subnet_id) => ({ subnet_id, ip_address: `address in ${subnet_id}` }));
  const port = { id: 'p', mac_address: 'm', status: 'DOWN', network_id: 'n', fixed_ips };
  const subnets = [subnet('a', 4, true), subnet('b', 4, false), subnet('c', 6, true), subnet('d', 4, true)];
  expect(addressesByDhcp(port, subnets)).toEqual(['address in a', 'address in d']);
});

const INSTANCE: Instance = {
  version: 1,
  id: '11111111-2222-4333-8444-555555555555',
  name: `<"&'>`,
  kind: 'qemu',
  url: 'http://x',
  host: 'h',
  createdAt: '',
  stage: 'ready',
  maker: { pid: 1, startTime: 1 },
  nics: [],
};

test('names are escaped in libvirt.xml', () => {
  expect(libvirtXml(INSTANCE)).toContain('<name>&lt;&quot;&amp;&apos;&gt;</name>');
  expect(libvirtXml(INSTANCE)).toMatch(/^<domain type="qemu">/);
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (name) => {
      const lines =
        libvirtXml({ ...INSTANCE, name })
          .split('<name>')[1]
          ?.split('</name>')[0] ?? '';
      expect(lines).not.toMatch(/[<>"']|&(?!(?:amp|lt|gt|quot|apos);)/);
    }),
  );
});

test('a name is one value in QEMU, whatever its characters', () => {
  const spec = { id: INSTANCE.id, name: 'a,debug-threads=on', folder: '/f', nics: [] };
  const words = qemuCommand(spec, '/k');
  expect(words[words.indexOf('-name') + 1]).toBe('guest=a,,debug-threads=on');
});

describe('a console', () => {
  const report = (text: string) => `NEUTRINO-LEASE fa:16:3e:00:00:01 ${Buffer.from(text).toString('base64')}\r\n`;

  test('contains leases with the time measured inside the machine', () => {
    const text = `boot\r\n${report('event=bound\0ip=10.0.0.5\0uptime=3.51\0NEUTRINO_STARTED_UPTIME=3.2\0')}`;
    expect(consoleLeases(text)).toMatchObject([
      { mac: 'fa:16:3e:00:00:01', at: 3.51, lease: { address: '10.0.0.5', ms: 310 } },
    ]);
  });

  test('incomplete reports are ignored', () => {
    const text = report('event=bound\0ip=10.0.0.5\0');
    expect(consoleLeases(text.slice(0, -4))).toEqual([]);
    expect(consoleLeases(`${text.slice(0, 30)}\r\n${text}`)).toHaveLength(1);
  });

  test('contains the failure and the last output', () => {
    const text = `\x1bc\x1b[?7l\x1b[2JSeaBIOS\r\nNEUTRINO-FAILED insmod x.ko\r\n${report('x')}\r\n \r\nbye\r\n`;
    expect(consoleFailures(text)).toEqual(['insmod x.ko']);
    expect(consoleTail(text, 2)).toBe('NEUTRINO-FAILED insmod x.ko\nbye');
    expect(consoleTail(text, 9).split('\n')[0]).toBe('SeaBIOS');
  });
});

test('columns of a table are as wide as their contents', () => {
  expect(renderTable(['A', 'LONG'], [['longer', 'x'], ['y']])).toBe('A       LONG\nlonger  x\ny');
});

test('names in a table cannot control the terminal', () => {
  expect(renderTable(['A'], [['\x1b[2Jx\ny']])).toBe('A\n?[2Jx?y');
});
