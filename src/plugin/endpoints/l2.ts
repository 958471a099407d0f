import type { Queries, Trx } from '../../db/database.ts';
import type { AddressAllocator } from '../../ipam/allocate.ts';
import type { Handlers } from '../../rpc/topic.ts';
import type { DeviceDetails, PluginMethods } from '../../rpc/topics/plugin.ts';
import type { Core } from '../core.ts';
import { loadInOrder } from '../listing.ts';
import { bindAgain } from '../ports/bind-again.ts';
import { type PortDocument, portDocuments } from '../ports/documents.ts';
import { addBlocks, completeProvisioning, type LivingPort, livingPorts, setPortStatus } from '../provisioning.ts';
import { textArgument, textsArgument } from './arguments.ts';
import { portsOfDevices } from './devices.ts';

/** Devices of one call at most: more than a host can have. */
const MAX_DEVICES = 10_000;

type Methods = Pick<Handlers<PluginMethods>, 'get_devices_details_list' | 'update_device_up' | 'update_device_down'>;

interface Wiring {
  readonly mtu: number;
  readonly network_type: string;
  readonly segmentation_id: number | null;
  readonly physical_network: string | null;
}

/** What carries networks, by network: their first segment. */
async function wiringOf(db: Queries, networkIds: readonly string[]): Promise<ReadonlyMap<string, Wiring>> {
  const rows = await loadInOrder([...new Set(networkIds)], async (ids) => {
    const found = await db
      .selectFrom('networks')
      .innerJoin('networksegments as s', 's.network_id', 'networks.id')
      .select(['networks.id', 'networks.mtu', 's.network_type', 's.segmentation_id', 's.physical_network'])
      .where('networks.id', 'in', [...ids])
      .where('s.segment_index', '=', 0)
      .execute();
    return new Map(found.map((row) => [row.id, row]));
  });
  return new Map(rows.map(({ id, ...wiring }) => [id, wiring]));
}

function deviceDetails(device: string, port: PortDocument, wiring: Wiring): DeviceDetails {
  return {
    device,
    port_id: port.id,
    network_id: port.network_id,
    mac_address: port.mac_address,
    admin_state_up: port.admin_state_up,
    network_type: wiring.network_type,
    segmentation_id: wiring.segmentation_id,
    physical_network: wiring.physical_network,
    mtu: wiring.mtu,
    fixed_ips: port.fixed_ips,
    device_owner: port.device_owner,
    allowed_address_pairs: port.allowed_address_pairs,
    port_security_enabled: port.port_security_enabled,
    qos_policy_id: null,
    qos_network_policy_id: null,
    profile: port['binding:profile'],
    propagate_uplink_status: port.propagate_uplink_status,
  };
}

/** The status of a port whose agent has just asked about it; one that is ACTIVE and awaits nobody stays so. */
function statusWhenAsked(port: LivingPort): 'ACTIVE' | 'BUILD' | 'DOWN' {
  if (!port.admin_state_up) return 'DOWN';
  return port.status === 'ACTIVE' && port.blocks.size === 0 ? 'ACTIVE' : 'BUILD';
}

async function noteAsked(trx: Trx, core: Core, portIds: readonly string[]): Promise<void> {
  const changed = (await livingPorts(trx, core, portIds)).filter((port) => port.status !== statusWhenAsked(port));
  for (const status of ['BUILD', 'DOWN'] as const)
    await setPortStatus(
      trx,
      changed.filter((port) => statusWhenAsked(port) === status),
      status,
    );
}

/** Down: until the agent says that it is wired again, the port is held back. */
async function noteDown(trx: Trx, core: Core, portId: string): Promise<void> {
  for (const port of await livingPorts(trx, core, [portId])) {
    await addBlocks(trx, port.standard_attr_id, ['L2']);
    if (port.status !== 'DOWN') await setPortStatus(trx, [port], 'DOWN');
  }
}

/** What L2 agents ask of the server. All throw NeutronError for arguments of the wrong form, and change nothing then. */
export function l2Methods(core: Core, allocator: AddressAllocator): Methods {
  const { db, config, log } = core;
  const find = (device: string, host: string) => portsOfDevices(db.kysely, [device], host).then((p) => p.get(device));
  return {
    async get_devices_details_list(args) {
      const host = textArgument(args, 'host');
      const devices = textsArgument(args, 'devices', MAX_DEVICES);
      let ports = await portsOfDevices(db.kysely, devices, host);
      const failed = [...ports.values()].filter((port) => port.failed).map((port) => port.id);
      if (failed.length > 0 && (await bindAgain(core, allocator, host, failed)))
        ports = await portsOfDevices(db.kysely, devices, host);
      const ids = [...ports.values()].filter((port) => port.here).map((port) => port.id);
      if (ids.length > 0) await db.transaction((trx) => noteAsked(trx, core, ids));
      const documents = await loadInOrder(ids, (some) => portDocuments(db.kysely, config, some));
      const byId = new Map(documents.map((document) => [document.id, document]));
      const wiring = await wiringOf(
        db.kysely,
        documents.map((document) => document.network_id),
      );
      return devices.map((device) => {
        const port = byId.get(ports.get(device)?.id ?? '');
        const wired = port && wiring.get(port.network_id);
        // A device that is no port of this host's is answered by its name alone.
        return wired ? deviceDetails(device, port, wired) : { device };
      });
    },
    async update_device_up(args) {
      const [device, host] = [textArgument(args, 'device'), textArgument(args, 'host')];
      const port = await find(device, host);
      if (port?.here) await db.transaction((trx) => completeProvisioning(trx, core, [port.id], 'L2'));
      else log.debug({ device, host }, 'a device is up that is no port of its host');
      return null;
    },
    async update_device_down(args) {
      const [device, host] = [textArgument(args, 'device'), textArgument(args, 'host')];
      const port = await find(device, host);
      if (port?.here) await db.transaction((trx) => noteDown(trx, core, port.id));
      return { device, exists: port !== undefined };
    },
  };
}
