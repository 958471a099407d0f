import type { InsertResult } from 'kysely';
import type { Trx } from '../db/database.ts';
import { prepared } from '../db/prepared.ts';
import { DHCP_OWNER } from '../net/device-owners.ts';
import { DHCP_AGENTS } from '../scheduler/agent-kinds.ts';
import { isServed, willBeServed } from '../scheduler/serving.ts';
import { groupBy } from '../store/listing.ts';
import { nowText } from '../store/standard-attributes.ts';
import type { Core } from './core.ts';
import { enqueueStatusChanges, isMigrating, type NovaPort } from './nova-events.ts';

/**
 * The life cycle of a port: DOWN when created, BUILD once its L2 agent has requested its details, ACTIVE once no provisioning
 * block is left: the L2 agent has wired it and DHCP serves it. Each of the two that is still missing is a row of
 * `provisioningblocks`.
 */

/** Returns whether a VIF type means that the port is bound to its host. */
export const isBound = (vifType: string): boolean => vifType !== 'unbound' && vifType !== 'binding_failed';

/** VIF type of ports whose switch others configure, such as bare-metal machines': no L2 agent reports them as wired. */
export const SWITCHED_BY_OTHERS = 'other';

/**
 * The entities that a port can wait for before it is ACTIVE: its L2 agent until it is wired, its DHCP agent until DHCP serves
 * it.
 */
export type ProvisioningEntity = 'L2' | 'DHCP';

/**
 * Returns the provisioning blocks of a new (or newly bound) port. L2: it is bound to a host whose agent will report it as wired.
 * DHCP: a DHCP agent hosts the network, and the port has an address in a subnet with DHCP; the agents' own ports do not wait.
 */
export function blocksFor(port: {
  /** absent: its binding has not changed. */
  readonly vifType?: string;
  readonly deviceOwner: string;
  readonly hasDhcpAddress: boolean;
  readonly networkScheduled: boolean;
}): readonly ProvisioningEntity[] {
  const dhcp = port.hasDhcpAddress && port.networkScheduled && port.deviceOwner !== DHCP_OWNER;
  const { vifType = 'unbound' } = port;
  const wired = isBound(vifType) && vifType !== SWITCHED_BY_OTHERS;
  return [...(wired ? (['L2'] as const) : []), ...(dhcp ? (['DHCP'] as const) : [])];
}

const insert = prepared<{ id: number; entity: ProvisioningEntity }, InsertResult>((db, p) =>
  db
    .insertInto('provisioningblocks')
    .ignore()
    .values({ standard_attr_id: p('id'), entity: p('entity') }),
);
/** Two at once, because most new ports wait for both. */
const insertBoth = prepared<{ id: number; one: ProvisioningEntity; other: ProvisioningEntity }, InsertResult>((db, p) =>
  db
    .insertInto('provisioningblocks')
    .ignore()
    .values(['one' as const, 'other' as const].map((name) => ({ standard_attr_id: p('id'), entity: p(name) }))),
);

/** Adds provisioning blocks for these entities to a port, except existing ones. */
export async function addBlocks(
  trx: Trx,
  standardAttrId: number,
  entities: readonly ProvisioningEntity[],
): Promise<void> {
  const [one, other] = entities;
  if (one && other) await insertBoth(trx, { id: standardAttrId, one, other });
  else if (one) await insert(trx, { id: standardAttrId, entity: one });
}

/** The state of a port that determines its status. */
export interface PortState extends NovaPort {
  readonly network_id: string;
  readonly standard_attr_id: number;
  readonly status: string;
  readonly admin_state_up: boolean;
  readonly bound: boolean;
  /** JSON: the profile of its binding. */
  readonly profile: string;
  readonly blocks: ReadonlySet<string>;
}

/** Maximum number of ports in one query, so that its parameters stay within the limits of the databases. */
const CHUNK = 500;

function* chunks<T>(items: readonly T[]): Generator<T[]> {
  for (let at = 0; at < items.length; at += CHUNK) yield items.slice(at, at + CHUNK);
}

/** Locks ports and returns their state. The lock ensures that two entities that complete simultaneously see each other. */
export async function lockPortStates(trx: Trx, core: Core, portIds: readonly string[]): Promise<readonly PortState[]> {
  const found: PortState[] = [];
  for (const ids of chunks([...new Set(portIds)].sort())) {
    await core.db.locked(trx.selectFrom('ports').select('id').where('id', 'in', ids).orderBy('id')).execute();
    const rows = await trx
      .selectFrom('ports')
      .innerJoin('ml2_port_bindings as b', 'b.port_id', 'ports.id')
      .select(['ports.id', 'ports.network_id', 'ports.standard_attr_id', 'ports.status', 'ports.admin_state_up'])
      .select(['ports.device_id', 'ports.device_owner', 'b.vif_type', 'b.profile'])
      .where('ports.id', 'in', ids)
      .where('b.status', '=', 'ACTIVE')
      .execute();
    if (rows.length === 0) continue;
    const blocks = groupBy(
      await trx
        .selectFrom('provisioningblocks')
        .selectAll()
        .where(
          'standard_attr_id',
          'in',
          rows.map((row) => row.standard_attr_id),
        )
        .execute(),
      (block) => String(block.standard_attr_id),
    );
    for (const { vif_type, admin_state_up, ...row } of rows)
      found.push({
        ...row,
        admin_state_up: admin_state_up === 1,
        bound: isBound(vif_type),
        blocks: new Set(blocks.get(String(row.standard_attr_id))?.map((block) => block.entity)),
      });
  }
  return found;
}

/**
 * Sets the status of ports; each change counts as a revision. Agents are not notified, as in Neutron; Nova is. `announced`: ports
 * of which Nova is notified; default: all.
 */
export async function setPortStatus(
  trx: Trx,
  core: Core,
  ports: readonly PortState[],
  status: 'ACTIVE' | 'BUILD' | 'DOWN',
  announced: readonly PortState[] = ports,
): Promise<void> {
  for (const some of chunks(announced)) await enqueueStatusChanges(trx, core, some, status);
  for (const some of chunks(ports)) {
    await trx
      .updateTable('ports')
      .set({ status })
      .where(
        'id',
        'in',
        some.map((port) => port.id),
      )
      .execute();
    await trx
      .updateTable('standardattributes')
      .set((eb) => ({ revision_number: eb('revision_number', '+', 1), updated_at: nowText() }))
      .where(
        'id',
        'in',
        some.map((port) => port.standard_attr_id),
      )
      .execute();
  }
}

async function removeBlocks(trx: Trx, ports: readonly PortState[], entity: ProvisioningEntity): Promise<void> {
  for (const some of chunks(ports.filter((port) => port.blocks.has(entity))))
    await trx
      .deleteFrom('provisioningblocks')
      .where(
        'standard_attr_id',
        'in',
        some.map((port) => port.standard_attr_id),
      )
      .where('entity', '=', entity)
      .execute();
}

/** Returns the ports that wait for DHCP on networks that no DHCP agent hosts or will host: none would ever report them ready. */
async function portsWithoutDhcpAgent(trx: Trx, core: Core, ports: readonly PortState[]): Promise<readonly PortState[]> {
  const waiting = ports.filter((port) => port.blocks.has('DHCP'));
  const served = new Map<string, boolean>();
  for (const { network_id: id } of waiting)
    if (!served.has(id)) served.set(id, await willBeServed(trx, core.config, DHCP_AGENTS, id));
  return waiting.filter((port) => !served.get(port.network_id));
}

/**
 * Records that an entity has finished with ports: those without other blocks become ACTIVE if they are bound and up. Deleted
 * ports, and ports without a block of the entity, are not errors. Returns the ids of those that became ACTIVE.
 */
export async function completeProvisioning(
  trx: Trx,
  core: Core,
  portIds: readonly string[],
  entity: ProvisioningEntity,
): Promise<readonly string[]> {
  const ports = await lockPortStates(trx, core, portIds);
  await removeBlocks(trx, ports, entity);
  const idle = entity === 'L2' ? await portsWithoutDhcpAgent(trx, core, ports) : [];
  await removeBlocks(trx, idle, 'DHCP');
  const ready = ports.filter(
    (port) =>
      port.bound &&
      port.admin_state_up &&
      port.status !== 'ACTIVE' &&
      [...port.blocks].every((block) => block === entity || (block === 'DHCP' && idle.includes(port))),
  );
  // During a live migration, Nova waits for the new host's L2 agent alone.
  const announced = entity === 'L2' ? ready : ready.filter((port) => !isMigrating(port.profile));
  await setPortStatus(trx, core, ready, 'ACTIVE', announced);
  return ready.map((port) => port.id);
}

/**
 * Makes a bound port ACTIVE that no L2 agent will report, unless DHCP must still learn of it; others are left unchanged. Returns
 * whether it became ACTIVE.
 */
export async function completeWithoutAgent(
  trx: Trx,
  core: Core,
  port: { readonly id: string; readonly 'binding:vif_type': string; readonly status: string },
): Promise<boolean> {
  if (port['binding:vif_type'] !== SWITCHED_BY_OTHERS || port.status === 'ACTIVE') return false;
  return (await completeProvisioning(trx, core, [port.id], 'L2')).length > 0;
}

/** Called when networks were removed from their DHCP agents: ports of networks without an agent no longer wait for one. */
export async function releaseUnserved(trx: Trx, core: Core, networkIds: readonly string[]): Promise<void> {
  for (const id of networkIds) {
    if (await isServed(trx, core.config, DHCP_AGENTS, id)) continue;
    const rows = await trx
      .selectFrom('ports')
      .innerJoin('provisioningblocks as b', 'b.standard_attr_id', 'ports.standard_attr_id')
      .select('ports.id')
      .where('ports.network_id', '=', id)
      .where('b.entity', '=', 'DHCP')
      .execute();
    await completeProvisioning(
      trx,
      core,
      rows.map((row) => row.id),
      'DHCP',
    );
  }
}
