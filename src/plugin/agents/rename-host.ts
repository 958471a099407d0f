import type { Database, Trx } from '../../db/database.ts';
import { DHCP_OWNER } from '../../net/device-owners.ts';
import { dhcpDeviceId, RESERVED_DHCP_PORT } from '../../net/dhcp-device-id.ts';
import { HOSTING_KINDS } from '../../scheduler/agent-kinds.ts';
import { bind, hostedBy, unbind } from '../../scheduler/bindings.ts';
import { oldestHeartbeat } from '../../scheduler/liveness.ts';
import { mapHost } from '../../scheduler/segment-hosts.ts';
import { nowText } from '../../store/standard-attributes.ts';
import type { Core } from '../core.ts';
import { moveHaPorts } from '../ha-routers/ports.ts';

/** A host cannot be renamed to a name with live agents. */
export class HostNameTaken extends Error {}

/** The number of agents and ports with the new name. */
export interface RenamedHost {
  readonly agents: number;
  readonly ports: number;
}

/**
 * Renames a host in one transaction: its agents keep their ids and therefore their networks, its ports stay bound, its DHCP ports
 * remain its own. Dead agents with the new name are merged into those with the old one. No agent of the host may run meanwhile;
 * agents started with the new name find their state unchanged. Repeating it changes nothing.
 * Throws HostNameTaken.
 */
export const renameHost = (
  { db, config }: Pick<Core, 'config'> & { readonly db: Database },
  from: string,
  to: string,
): Promise<RenamedHost> =>
  db.transaction(async (trx) => {
    const agents = await agentsOf(trx, from);
    // Without agents with the old name, they have already been renamed, and may run.
    for (const namesake of agents.length > 0 ? await agentsOf(trx, to) : []) {
      if (namesake.heartbeat_timestamp >= oldestHeartbeat(config))
        throw new HostNameTaken(`host ${to} has a ${namesake.agent_type} that is alive (${namesake.id})`);
      const heir = agents.find((agent) => agent.agent_type === namesake.agent_type);
      if (heir) await mergeAgent(trx, namesake, heir.id);
    }
    await trx.updateTable('agents').set({ host: to }).where('host', '=', from).execute();
    for (const host of [from, to]) await mapHost(trx, host);
    return {
      agents: agents.length,
      ports: (await rebindPorts(trx, from, to)) + (await renameDhcpPorts(trx, from, to)),
    };
  });

interface AgentRow {
  readonly id: string;
  readonly agent_type: string;
  readonly heartbeat_timestamp: string;
}

const agentsOf = (trx: Trx, host: string): Promise<readonly AgentRow[]> =>
  trx.selectFrom('agents').select(['id', 'agent_type', 'heartbeat_timestamp']).where('host', '=', host).execute();

/** Moves the resources of an agent to another one of its type, and deletes the agent. */
async function mergeAgent(trx: Trx, { id, agent_type }: AgentRow, heir: string): Promise<void> {
  for (const kind of HOSTING_KINDS.filter(({ type }) => type === agent_type)) {
    for (const resource of await hostedBy(trx, kind, id)) {
      await unbind(trx, kind, resource, id);
      await bind(trx, kind, resource, heir);
    }
  }
  await moveHaPorts(trx, id, heir);
  await trx.deleteFrom('agents').where('id', '=', id).execute();
}

async function rebindPorts(trx: Trx, from: string, to: string): Promise<number> {
  const bound = trx.selectFrom('ml2_port_bindings').select('port_id').where('host', '=', from);
  await trx
    .updateTable('standardattributes')
    .set((eb) => ({ revision_number: eb('revision_number', '+', 1), updated_at: nowText() }))
    .where('id', 'in', trx.selectFrom('ports').select('standard_attr_id').where('id', 'in', bound))
    .execute();
  await trx.updateTable('ml2_port_binding_levels').set({ host: to }).where('host', '=', from).execute();
  const { numUpdatedRows } = await trx
    .updateTable('ml2_port_bindings')
    .set({ host: to })
    .where('host', '=', from)
    .executeTakeFirstOrThrow();
  return Number(numUpdatedRows);
}

/** The DHCP ports of a host carry its name in their `device_id`. Returns how many were not bound, and so not counted before. */
async function renameDhcpPorts(trx: Trx, from: string, to: string): Promise<number> {
  const ports = await trx
    .selectFrom('ports')
    .leftJoin('ml2_port_bindings as b', (join) =>
      join.onRef('b.port_id', '=', 'ports.id').on('b.status', '=', 'ACTIVE'),
    )
    .select(['ports.id', 'ports.network_id', 'ports.device_id', 'b.host'])
    .where('device_owner', '=', DHCP_OWNER)
    .where('device_id', 'like', 'dhcp%')
    .execute();
  const byDevice = new Map(ports.map((port) => [port.device_id, port]));
  const setDevice = (id: string, device_id: string) =>
    trx.updateTable('ports').set({ device_id }).where('id', '=', id).execute();
  let unbound = 0;
  for (const port of ports) {
    const renamed = dhcpDeviceId(to, port.network_id);
    if (port.device_id !== dhcpDeviceId(from, port.network_id) || port.device_id === renamed) continue;
    // From an earlier start with the new name: reserved for the next agent, because the address may be in use.
    const namesake = byDevice.get(renamed);
    if (namesake) await setDevice(namesake.id, RESERVED_DHCP_PORT);
    await setDevice(port.id, renamed);
    if (port.host !== to) unbound += 1;
  }
  return unbound;
}
