import type { Queries, Trx } from '../db/database.ts';
import type { AddressAllocator } from '../ipam/allocate.ts';
import type { Core } from '../plugin/core.ts';
import { enqueuePluggedElsewhere, isNovaNotified } from '../plugin/nova-events.ts';
import { type PortDocument, portDocuments } from '../plugin/ports/documents.ts';
import { rebindPorts } from '../plugin/ports/rebind.ts';
import {
  addBlocks,
  completeProvisioning,
  lockPortStates,
  type PortState,
  setPortStatus,
} from '../plugin/provisioning.ts';
import type { Attribute } from '../resources/attribute.ts';
import { PORT } from '../resources/port.ts';
import type { Handlers } from '../rpc/topic.ts';
import type { DeviceDetails, PluginMethods } from '../rpc/topics/plugin.ts';
import { loadInOrder } from '../store/listing.ts';
import { textArgument, textsArgument } from './arguments.ts';
import { portsOfDevices } from './devices.ts';

/** Maximum number of devices in one call, more than a host can have. */
const MAX_DEVICES = 10_000;

type Methods = Pick<Handlers<PluginMethods>, 'get_devices_details_list' | 'update_device_up' | 'update_device_down'>;

/** The MTU of a port's network, and the segment to which the port is bound. */
interface Underlay {
  readonly mtu: number;
  readonly network_type: string;
  readonly segmentation_id: number | null;
  readonly physical_network: string | null;
}

/** Returns the underlays of ports of a host by the port's id. */
async function underlaysOf(
  db: Queries,
  host: string,
  portIds: readonly string[],
): Promise<ReadonlyMap<string, Underlay>> {
  const rows = await loadInOrder(portIds, async (ids) => {
    const found = await db
      .selectFrom('ports')
      .innerJoin('networks', 'networks.id', 'ports.network_id')
      .leftJoin('ml2_port_binding_levels as l', (join) =>
        join.onRef('l.port_id', '=', 'ports.id').on('l.host', '=', host),
      )
      .innerJoin('networksegments as s', (join) =>
        join
          .onRef('s.network_id', '=', 'networks.id')
          .on((eb) =>
            eb.or([
              eb('s.id', '=', eb.ref('l.segment_id')),
              eb.and([eb('l.segment_id', 'is', null), eb('s.segment_index', '=', 0)]),
            ]),
          ),
      )
      .select(['ports.id', 'networks.mtu', 's.network_type', 's.segmentation_id', 's.physical_network'])
      .where('ports.id', 'in', [...ids])
      .execute();
    return new Map(found.map((row) => [row.id, row]));
  });
  return new Map(rows.map(({ id, ...underlay }) => [id, underlay]));
}

/**
 * Attributes not in the details: agents get groups from `security_group_info_for_devices`, and the binding is to their own
 * host.
 */
const NO_DETAIL = /^(security_groups|binding:.*)$/;

/** The port attributes that L2 agents are notified of (`tells`), and which the details of a device therefore contain. */
const DETAILS = Object.entries<Attribute>(PORT.attributes).flatMap(([name, { tells }]) =>
  tells?.includes('l2') && !NO_DETAIL.test(name) ? [name] : [],
);

function deviceDetails(device: string, port: PortDocument, underlay: Underlay): DeviceDetails {
  const { id: port_id, network_id, device_owner, qos_policy_id, qos_network_policy_id } = port;
  const details = Object.fromEntries(Object.entries(port).filter(([name]) => DETAILS.includes(name)));
  const profile = port['binding:profile'];
  return {
    ...details,
    device,
    port_id,
    network_id,
    device_owner,
    profile,
    qos_policy_id,
    qos_network_policy_id,
    ...underlay,
  };
}

/** Returns the status of a port whose details its agent has just requested; an ACTIVE port without blocks stays ACTIVE. */
function statusOnRequest(port: PortState): 'ACTIVE' | 'BUILD' | 'DOWN' {
  if (!port.admin_state_up) return 'DOWN';
  return port.status === 'ACTIVE' && port.blocks.size === 0 ? 'ACTIVE' : 'BUILD';
}

async function recordRequest(trx: Trx, core: Core, portIds: readonly string[]): Promise<void> {
  const changed = (await lockPortStates(trx, core, portIds)).filter((port) => port.status !== statusOnRequest(port));
  for (const status of ['BUILD', 'DOWN'] as const)
    await setPortStatus(
      trx,
      core,
      changed.filter((port) => statusOnRequest(port) === status),
      status,
    );
}

/** Sets a port DOWN, with a provisioning block until the agent reports it as wired again. */
async function recordDown(trx: Trx, core: Core, portId: string): Promise<void> {
  for (const port of await lockPortStates(trx, core, [portId])) {
    await addBlocks(trx, port.standard_attr_id, ['L2']);
    if (port.status !== 'DOWN') await setPortStatus(trx, core, [port], 'DOWN');
  }
}

/** The methods for L2 agents. All throw NeutronError for malformed arguments, and then change nothing. */
export function l2Methods(core: Core, allocator: AddressAllocator): Methods {
  const { db, config, log } = core;
  const find = (device: string, host: string) => portsOfDevices(db.kysely, [device], host).then((p) => p.get(device));
  return {
    async get_devices_details_list(args) {
      const host = textArgument(args, 'host');
      const devices = textsArgument(args, 'devices', MAX_DEVICES);
      let ports = await portsOfDevices(db.kysely, devices, host);
      const failed = [...ports.values()].filter((port) => port.failed).map((port) => port.id);
      if (failed.length > 0 && (await rebindPorts(core, allocator, host, failed)))
        ports = await portsOfDevices(db.kysely, devices, host);
      const ids = [...ports.values()].filter((port) => port.here).map((port) => port.id);
      if (ids.length > 0) await db.transaction((trx) => recordRequest(trx, core, ids));
      const documents = await loadInOrder(ids, (some) => portDocuments(db.kysely, config, some));
      const byId = new Map(documents.map((document) => [document.id, document]));
      const underlays = await underlaysOf(
        db.kysely,
        host,
        documents.map(({ id }) => id),
      );
      return devices.map((device) => {
        const port = byId.get(ports.get(device)?.id ?? '');
        const underlay = port && underlays.get(port.id);
        // For a device that is not a port of this host, the reply contains only its name.
        return underlay ? deviceDetails(device, port, underlay) : { device };
      });
    },
    async update_device_up(args) {
      const [device, host] = [textArgument(args, 'device'), textArgument(args, 'host')];
      const port = await find(device, host);
      if (port?.here) await db.transaction((trx) => completeProvisioning(trx, core, [port.id], 'L2'));
      else {
        log.debug({ device, host }, 'device reported up is not a port bound to its host');
        if (port && isNovaNotified(config)) await db.transaction((trx) => enqueuePluggedElsewhere(trx, core, port.id));
      }
      return null;
    },
    async update_device_down(args) {
      const [device, host] = [textArgument(args, 'device'), textArgument(args, 'host')];
      const port = await find(device, host);
      if (port?.here) await db.transaction((trx) => recordDown(trx, core, port.id));
      return { device, exists: port !== undefined };
    },
  };
}
