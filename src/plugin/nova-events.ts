import type { Config } from '../config/options.ts';
import type { Trx } from '../db/database.ts';
import { COMPUTE_PREFIX } from '../net/device-owners.ts';
import { LENIENT_UUID } from '../net/patterns.ts';
import { nowText } from '../store/standard-attributes.ts';
import type { Core } from './core.ts';

/**
 * Events about ports of machines for Nova's API os-server-external-events. They are written in the transaction of the change, and
 * sent after the commit (`src/notifier/nova`). Nothing is read or written here unless Nova is notified.
 */

/** What decides whether Nova is notified of a port. */
export interface NovaPort {
  readonly id: string;
  readonly device_id: string;
  readonly device_owner: string;
}

type EventName = 'network-changed' | 'network-vif-plugged' | 'network-vif-unplugged' | 'network-vif-deleted';

/** Returns whether the configuration names a Nova to notify. */
export const isNovaNotified = ({ nova, DEFAULT }: Config): boolean =>
  nova.auth_url !== '' && (DEFAULT.notify_nova_on_port_status_changes || DEFAULT.notify_nova_on_port_data_changes);

const ofStatus = ({ config: { nova, DEFAULT } }: Core) =>
  nova.auth_url !== '' && DEFAULT.notify_nova_on_port_status_changes;
const ofData = ({ config: { nova, DEFAULT } }: Core) =>
  nova.auth_url !== '' && DEFAULT.notify_nova_on_port_data_changes;

const isOfMachine = ({ device_id, device_owner }: NovaPort): boolean =>
  device_owner.startsWith(COMPUTE_PREFIX) && LENIENT_UUID.test(device_id);

async function enqueue(
  trx: Trx,
  ports: readonly NovaPort[],
  name: EventName,
  status: 'completed' | null = null,
): Promise<void> {
  const created_at = nowText();
  const rows = ports
    .filter(isOfMachine)
    .map(({ id, device_id }) => ({ port_id: id, server_uuid: device_id, name, status, created_at }));
  if (rows.length > 0) await trx.insertInto('novaevents').values(rows).execute();
}

/** The event of a new status, and the former statuses with which Nova hears of it, as in Neutron. */
const STATUS_EVENTS: Readonly<Record<string, { readonly name: EventName; readonly from: readonly string[] }>> = {
  ACTIVE: { name: 'network-vif-plugged', from: ['DOWN', 'BUILD'] },
  DOWN: { name: 'network-vif-unplugged', from: ['ACTIVE'] },
};

/** Enqueues the events of ports whose status changes. `ports`: with their former status. */
export async function enqueueStatusChanges(
  trx: Trx,
  core: Core,
  ports: readonly (NovaPort & { readonly status: string })[],
  status: string,
): Promise<void> {
  const event = STATUS_EVENTS[status];
  if (!event || !ofStatus(core)) return;
  const concerned = ports.filter((port) => event.from.includes(port.status));
  await enqueue(trx, concerned, event.name, 'completed');
}

/**
 * Enqueues the event that a port is plugged on a host to which it is not bound: during a live migration Nova waits for it, while
 * the status of the port does not change.
 */
export async function enqueuePluggedElsewhere(trx: Trx, core: Core, portId: string): Promise<void> {
  if (ofStatus(core)) await enqueue(trx, await portsBy(trx, [portId]), 'network-vif-plugged', 'completed');
}

/** Enqueues the event that a request changed a port, whatever it changed, as in Neutron. */
export async function enqueuePortChanged(trx: Trx, core: Core, port: NovaPort): Promise<void> {
  if (ofData(core)) await enqueue(trx, [port], 'network-changed');
}

/** Enqueues the event that a request deleted a port. */
export async function enqueuePortDeleted(trx: Trx, core: Core, port: NovaPort): Promise<void> {
  if (ofData(core)) await enqueue(trx, [port], 'network-vif-deleted');
}

/** Enqueues the events that a request changed, created or deleted a floating IP of these ports. */
export async function enqueueFloatingIpChanged(
  trx: Trx,
  core: Core,
  ...portIds: readonly (string | null)[]
): Promise<void> {
  if (!ofData(core)) return;
  const ids = new Set(portIds.filter((id) => id !== null));
  if (ids.size > 0) await enqueue(trx, await portsBy(trx, [...ids]), 'network-changed');
}

const portsBy = (trx: Trx, ids: readonly string[]): Promise<readonly NovaPort[]> =>
  trx.selectFrom('ports').select(['id', 'device_id', 'device_owner']).where('id', 'in', ids).execute();

/**
 * Returns whether Nova waits for a machine's migration: then only the L2 agent of the new host says that the port is plugged.
 * `profile`: that of the active binding, in JSON.
 */
export function isMigrating(profile: string): boolean {
  if (!profile.includes('migrating_to')) return false;
  const { migrating_to: host } = JSON.parse(profile) as { readonly migrating_to?: unknown };
  return typeof host === 'string' && host !== '';
}
