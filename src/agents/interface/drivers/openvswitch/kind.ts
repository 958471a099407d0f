import { pino } from 'pino';
import type { InterfaceConfig, InterfaceDriverKind } from '../kind.ts';
import { markEntry, markOf } from './external-ids.ts';
import { createInternalPortDriver } from './internal.ts';
import { OpenvSwitch } from './switch.ts';
import { createVethPortDriver } from './veth.ts';

/** Ports of the integration bridge, to which the Open vSwitch agent of the host assigns the local VLANs of their networks. */
export const OPEN_VSWITCH: InterfaceDriverKind = {
  name: 'openvswitch',
  // Open vSwitch itself may run in a container: only its database's address counts.
  programs: { ip: 'iproute2' },
  create({ config, ...parts }) {
    const create = config.DEFAULT.ovs_use_veth ? createVethPortDriver : createInternalPortDriver;
    return create({ ...parts, ...settings(config) });
  },
  marked: (config) =>
    withSwitch(config, async (ovs) =>
      [...ovs.ports.values()].flatMap((port) => {
        const mark = markOf(port);
        return mark === undefined ? [] : [{ name: port.name, mark }];
      }),
    ),
  relabel: (config, from, to) =>
    withSwitch(config, async (ovs) => {
      const found = [...ovs.ports.values()].filter((port) => markOf(port)?.startsWith(from));
      for (const port of found) {
        await ovs.setIds(port.name, markEntry(`${to}${markOf(port)?.slice(from.length)}`));
      }
      return found.map(({ name }) => name);
    }),
};

function settings({ ovs }: InterfaceConfig) {
  return {
    bridge: ovs.integration_bridge,
    address: ovs.ovsdb_connection,
    timeoutMs: ovs.ovsdb_timeout * 1_000,
  };
}

async function withSwitch<T>(config: InterfaceConfig, work: (ovs: OpenvSwitch) => Promise<T>): Promise<T> {
  const ovs = new OpenvSwitch({ ...settings(config), log: pino({ level: 'silent' }) });
  try {
    await ovs.connected();
    return await work(ovs);
  } finally {
    ovs.close();
  }
}
