import { createHash } from 'node:crypto';
import type { L2DriverKind } from '../kind.ts';
import { LinuxBridgeDriver } from './driver.ts';
import { agentMark } from './marks.ts';
import { networkOfDevice, removeDevices } from './remove.ts';
import { hostSegments } from './segment.ts';

/** Linux bridges, as Neutron's linuxbridge agent makes them: one for each network. */
export const LINUX_BRIDGE: L2DriverKind = {
  name: 'linuxbridge',
  programs: { ip: 'iproute2' },
  agent: { binary: 'neutron-linuxbridge-agent', agent_type: 'Linux bridge agent' },
  // Stock agents are `lb` and the MAC of a device; servers only log it.
  agentId: (host) => `lb${createHash('sha1').update(host).digest('hex').slice(0, 12)}`,
  configurations(config) {
    const { physical, vxlanEnabled, vxlan } = hostSegments(config);
    return {
      bridge_mappings: {},
      interface_mappings: Object.fromEntries(physical),
      tunneling_ip: vxlan?.localIp ?? null,
      tunnel_types: vxlanEnabled ? ['vxlan'] : [],
      l2_population: false,
    };
  },
  create: ({ config, links, where, bridgeOptions = [] }) =>
    new LinuxBridgeDriver({
      links,
      segments: hostSegments(config),
      mark: agentMark(config.DEFAULT),
      where,
      bridgeOptions,
    }),
  mark: (agent) => `@${agentMark(agent)}`,
  networkOf: networkOfDevice,
  removeDevices,
};
