import { randomUUID } from 'node:crypto';
import type { InsertResult } from 'kysely';
import type { Trx } from '../../db/database.ts';
import { prepared } from '../../db/prepared.ts';
import type { AllowedAddressPairs, ExtraDhcpOpts, Ml2PortBindings, Ports } from '../../db/schema.ts';
import type { ExtraDhcpOpt } from '../../rpc/documents.ts';

const port = prepared<Ports, InsertResult>((db, p) =>
  db
    .insertInto('ports')
    .ignore()
    .values({
      id: p('id'),
      project_id: p('project_id'),
      name: p('name'),
      network_id: p('network_id'),
      mac_address: p('mac_address'),
      admin_state_up: p('admin_state_up'),
      status: p('status'),
      device_id: p('device_id'),
      device_owner: p('device_owner'),
      ip_allocation: p('ip_allocation'),
      standard_attr_id: p('standard_attr_id'),
    }),
);

/** Makes a port's row; false when another port of the network has its MAC. */
export async function insertPort(trx: Trx, row: Ports): Promise<boolean> {
  return ((await port(trx, row)).numAffectedRows ?? 0n) > 0n;
}

const binding = prepared<Ml2PortBindings, InsertResult>((db, p) =>
  db.insertInto('ml2_port_bindings').values({
    port_id: p('port_id'),
    host: p('host'),
    vif_type: p('vif_type'),
    vnic_type: p('vnic_type'),
    profile: p('profile'),
    vif_details: p('vif_details'),
    status: p('status'),
  }),
);

/** Makes a port's binding. */
export const insertBinding = async (trx: Trx, row: Ml2PortBindings): Promise<void> => void (await binding(trx, row));

const security = prepared<{ port_id: string; enabled: number }, InsertResult>((db, p) =>
  db.insertInto('portsecuritybindings').values({ port_id: p('port_id'), port_security_enabled: p('enabled') }),
);

/** Notes whether a port is filtered. */
export const insertPortSecurity = async (trx: Trx, portId: string, enabled: boolean): Promise<void> =>
  void (await security(trx, { port_id: portId, enabled: enabled ? 1 : 0 }));

const group = prepared<{ port_id: string; group: string }, InsertResult>((db, p) =>
  db.insertInto('securitygroupportbindings').values({ port_id: p('port_id'), security_group_id: p('group') }),
);

/** Puts a port into security groups. */
export async function insertSecurityGroups(trx: Trx, portId: string, groups: readonly string[]): Promise<void> {
  for (const id of groups) await group(trx, { port_id: portId, group: id });
}

/** Notes a port's allowed address pairs. */
export async function insertAddressPairs(trx: Trx, pairs: readonly AllowedAddressPairs[]): Promise<void> {
  if (pairs.length > 0)
    await trx
      .insertInto('allowedaddresspairs')
      .values([...pairs])
      .execute();
}

/** Notes a port's DHCP options. */
export async function insertDhcpOpts(trx: Trx, portId: string, opts: readonly ExtraDhcpOpt[]): Promise<void> {
  const rows = opts.map((opt): ExtraDhcpOpts => ({ id: randomUUID(), port_id: portId, ...opt }));
  if (rows.length > 0) await trx.insertInto('extradhcpopts').values(rows).execute();
}

/** Notes a port's host name; an empty one has no row. */
export async function setDnsName(trx: Trx, portId: string, name: string): Promise<void> {
  await trx.deleteFrom('portdnses').where('port_id', '=', portId).execute();
  if (name !== '')
    await trx.insertInto('portdnses').values({ port_id: portId, dns_name: name, dns_domain: '' }).execute();
}

/** Notes a port's NUMA policy; null has no row. */
export async function setNumaPolicy(trx: Trx, portId: string, policy: string | null): Promise<void> {
  await trx.deleteFrom('portnumaaffinitypolicies').where('port_id', '=', portId).execute();
  if (policy !== null)
    await trx
      .insertInto('portnumaaffinitypolicies')
      .values({ port_id: portId, numa_affinity_policy: policy })
      .execute();
}
