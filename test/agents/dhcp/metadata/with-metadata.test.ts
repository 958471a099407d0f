import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import type { DhcpDriver } from '../../../../src/agents/dhcp/contract.ts';
import type { MetadataProxies } from '../../../../src/agents/dhcp/metadata/contract.ts';
import { withMetadata } from '../../../../src/agents/dhcp/metadata/with-metadata.ts';
import { type Config, defaultConfig } from '../../../../src/config/options.ts';
import { tapName } from '../../../../src/net/device-names.ts';
import type { NetworkInfo, PortDocument } from '../../../../src/rpc/documents.ts';

let calls: string[];
let broken: boolean;
beforeEach(() => {
  calls = [];
  broken = false;
});

function driverWith(options: Partial<Config['DEFAULT']>): DhcpDriver {
  const note = async (text: string) => void calls.push(text);
  const driver: DhcpDriver = {
    serve: () => note('dhcp'),
    portsChanged: () => note('ports'),
    stop: (id) => note('dhcp off').then(() => `dnsmasq ${id}`),
    known: async () => ['n1'],
    onDeath: () => undefined,
    close: () => note('close'),
  };
  const proxies: MetadataProxies = {
    async serve({ networkId, routerId, devices }) {
      if (broken) throw new Error('no haproxy');
      await note(`proxy ${[routerId ?? networkId, ...devices.slice(1)].join(' ')}`);
    },
    stop: () => note('proxy off').then(() => undefined),
    onDeath: () => undefined,
    close: () => note('close proxies'),
  };
  const config = { DEFAULT: { ...defaultConfig().DEFAULT, ...options } };
  return withMetadata({ driver, proxies, config, log: pino({ level: 'silent' }) });
}

const subnet = (cidr: string, values: object = {}) =>
  ({ id: cidr, network_id: 'n1', cidr, ip_version: 4, enable_dhcp: true, gateway_ip: '10.0.0.1', ...values }) as never;
const router: PortDocument = {
  ...{ id: 'p1', network_id: 'n1', mac_address: 'fa:16:3e:00:00:01', admin_state_up: true, status: 'ACTIVE' },
  ...{ device_id: 'r1', device_owner: 'network:router_interface' },
  fixed_ips: [{ subnet_id: '10.0.0.0/24', ip_address: '10.0.0.1' }],
};
const network = (ports: readonly PortDocument[] = [], cidr = '10.0.0.0/24'): NetworkInfo => ({
  ...{
    id: 'n1',
    admin_state_up: true,
    mtu: 1500,
    tenant_id: 'p',
    subnets: [subnet(cidr)],
    non_local_subnets: [],
    ports,
  },
});
const where = { namespace: 'qdhcp-n1', device: 'tap1', dhcpPortId: 'd1' };

describe('withMetadata', () => {
  it.each<[string, Partial<Config['DEFAULT']>, NetworkInfo, string]>([
    ['nothing by default', {}, network(), 'proxy off'],
    ['isolated networks', { enable_isolated_metadata: true }, network(), 'proxy n1'],
    ['no networks with a router', { enable_isolated_metadata: true }, network([router]), 'proxy off'],
    ['those too, if forced', { force_metadata: true }, network([router]), 'proxy n1'],
    [
      "a metadata network in its router's name",
      { enable_isolated_metadata: true, enable_metadata_network: true },
      network([router], '169.254.169.252/30'),
      'proxy r1',
    ],
  ])('serves %s', async (_, options, info, expected) => {
    await driverWith(options).serve({ info, ...where });
    expect(calls).toEqual(['dhcp', expected]);
  });

  it('serves each link that the host reaches', async () => {
    const ids = ['d1', 'd2'];
    const device = tapName('d1');
    await driverWith({ force_metadata: true }).serve({ info: network(), ...where, device, dhcpPortIds: ids });
    expect(calls).toEqual(['dhcp', `proxy n1 ${tapName('d2')}`]);
  });

  it('follows the routers of a network, and looks at no other port', async () => {
    const driver = driverWith({ enable_isolated_metadata: true });
    await driver.serve({ info: network(), ...where });
    await driver.portsChanged('n1', { set: [{ ...router, id: 'vm', device_owner: 'compute:nova' }], removed: ['x'] });
    await driver.portsChanged('n1', { set: [router], removed: [] });
    await driver.portsChanged('n1', { set: [], removed: ['p1'] });
    expect(calls).toEqual(['dhcp', 'proxy n1', 'ports', 'ports', 'proxy off', 'ports', 'proxy n1']);
  });

  it('serves DHCP without the proxy if that cannot start, and has it tried again', async () => {
    const driver = driverWith({ force_metadata: true });
    const again: string[] = [];
    driver.onDeath((id) => again.push(id));
    broken = true;
    await driver.serve({ info: network(), ...where });
    expect([calls, again]).toEqual([['dhcp'], ['n1']]);
    broken = false;
    await driver.serve({ info: network(), ...where });
    expect([calls, again]).toEqual([['dhcp', 'dhcp', 'proxy n1'], ['n1']]);
  });

  it('stops both, the proxy first', async () => {
    expect(await driverWith({}).stop('n1')).toBe('dnsmasq n1');
    expect(calls).toEqual(['proxy off', 'dhcp off']);
  });
});
