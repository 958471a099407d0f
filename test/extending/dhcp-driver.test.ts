import { pino } from 'pino';
import { expect, test } from 'vitest';
import { DHCP_DRIVERS, dhcpDriverKind } from '../../src/agents/dhcp/drivers/registry.ts';
import { defaultConfig } from '../../src/config/options.ts';
import { network, port, subnet } from '../agents/dhcp/documents.ts';
import { dhcpDriverContract } from '../agents/dhcp/driver-contract.ts';
import { memoryKind, Servers } from './dhcp-driver.ts';

const macOf = (n: number): string => `fa:16:3e:00:00:${n.toString(16).padStart(2, '0')}`;
const config = () => {
  const defaults = defaultConfig();
  return { ...defaults, DEFAULT: { ...defaults.DEFAULT, dhcp_driver: 'memory' } };
};

dhcpDriverContract('the example', async () => {
  const servers = new Servers();
  const kind = dhcpDriverKind(config(), [...DHCP_DRIVERS, memoryKind(servers)]);
  const bare = network();
  const info = { ...bare, subnets: [subnet(bare.id, { id: 's1' })] };
  const own = port(info.id, { device_owner: 'network:dhcp', fixed_ips: [{ subnet_id: 's1', ip_address: '10.0.0.2' }] });
  return {
    driver: () => kind.create({ config: config(), log: pino({ level: 'silent' }) }),
    network: (ports) => ({
      info: { ...info, ports: [own, ...ports] },
      namespace: `qdhcp-${info.id}`,
      device: 'tap',
      dhcpPortId: own.id,
    }),
    port: (n, address = `10.0.0.${n}`) =>
      port(info.id, {
        id: `port-${n}`,
        mac_address: macOf(n),
        fixed_ips: [{ subnet_id: 's1', ip_address: address }],
      }),
    ask: async (n) => servers.addressOf(info.id, macOf(n)),
    kill: async () => servers.kill(info.id),
    close: async () => undefined,
  };
});

test('an unlisted driver is rejected, with the names of all drivers', () => {
  expect(() => dhcpDriverKind(config())).toThrow(/dhcp_driver = "memory": must be one of dnsmasq/);
});
