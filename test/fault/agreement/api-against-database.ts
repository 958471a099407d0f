import { differences, grouped } from './differences.ts';
import type { Facts } from './facts.ts';

/** A resource according to one source, as text, so that all of it is compared and shown. */
type Story = readonly unknown[];

/** Returns the resources for which the API differs from the rows, by id. */
export function apiAgainstDatabase({ api, database }: Pick<Facts, 'api' | 'database'>): readonly string[] {
  const attributes = new Map(database.standardattributes.map((row) => [String(row.id), row]));
  const shared = (id: unknown) => {
    const row = attributes.get(String(id));
    return [row?.description, Number(row?.revision_number)];
  };
  const allocations = grouped(database.ipallocations, (row) => row.port_id);
  const bindings = grouped(database.ml2_port_bindings, (row) => row.port_id);
  const options = grouped(database.extradhcpopts, (row) => row.port_id);
  const pools = grouped(database.ipallocationpools, (row) => row.subnet_id);
  const subnets = grouped(database.subnets, (row) => row.network_id);
  return [
    ...compared(
      'network',
      api.networks.map((n) => [
        n.id,
        [n.name, n.description, n.revision_number, n.admin_state_up, n.status, n.mtu, n.subnets.toSorted()],
      ]),
      database.networks.map((row) => [
        row.id,
        [
          row.name,
          ...shared(row.standard_attr_id),
          row.admin_state_up === 1,
          row.status,
          row.mtu,
          ids(subnets.get(row.id)),
        ],
      ]),
    ),
    ...compared(
      'subnet',
      api.subnets.map((s) => [
        s.id,
        [
          s.name,
          s.description,
          s.revision_number,
          s.network_id,
          s.cidr,
          s.gateway_ip,
          s.enable_dhcp,
          poolTexts(s.allocation_pools),
        ],
      ]),
      database.subnets.map((row) => [
        row.id,
        [
          row.name,
          ...shared(row.standard_attr_id),
          row.network_id,
          row.cidr,
          row.gateway_ip,
          row.enable_dhcp === 1,
          poolTexts((pools.get(row.id) ?? []).map((pool) => ({ start: pool.first_ip, end: pool.last_ip }))),
        ],
      ]),
    ),
    ...compared(
      'port',
      api.ports.map((p) => [
        p.id,
        [
          ...[p.name, p.description, p.revision_number, p.network_id, p.mac_address, p.admin_state_up, p.status],
          ...[p.device_id, p.device_owner, p['binding:host_id'] ?? ''],
          p.fixed_ips.map((ip) => `${ip.subnet_id} ${ip.ip_address}`).toSorted(),
          (p.extra_dhcp_opts ?? []).map((opt) => `${opt.opt_name}=${opt.opt_value}`).toSorted(),
        ],
      ]),
      database.ports.map((row) => [
        row.id,
        [
          ...[
            row.name,
            ...shared(row.standard_attr_id),
            row.network_id,
            row.mac_address,
            row.admin_state_up === 1,
            row.status,
          ],
          ...[row.device_id, row.device_owner, bindings.get(row.id)?.[0]?.host],
          (allocations.get(row.id) ?? []).map((ip) => `${ip.subnet_id} ${ip.ip_address}`).toSorted(),
          (options.get(row.id) ?? []).map((opt) => `${opt.opt_name}=${opt.opt_value}`).toSorted(),
        ],
      ]),
    ),
  ];
}

function compared(
  kind: string,
  shown: readonly (readonly [string, Story])[],
  stored: readonly (readonly [string, Story])[],
): readonly string[] {
  const rows = new Map(stored);
  const known = shown.filter(([id]) => rows.has(id));
  return [
    ...differences(
      kind,
      shown.map(([id]) => id),
      'in the API',
      rows.keys(),
      'in the database',
    ),
    ...known
      .map(([id, story]) => [id, JSON.stringify(story), JSON.stringify(rows.get(id))] as const)
      .filter(([, api, database]) => api !== database)
      .map(([id, api, database]) => `${kind} ${id}: the API shows ${api}, the database has ${database}`),
  ];
}

const ids = (rows: readonly { readonly id: string }[] = []) => rows.map((row) => row.id).toSorted();
const poolTexts = (pools: readonly { readonly start: string; readonly end: string }[]) =>
  pools.map((pool) => `${pool.start}-${pool.end}`).toSorted();
