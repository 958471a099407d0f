import { differences, doubled } from './differences.ts';
import type { DatabaseFacts } from './facts.ts';

/** Returns inconsistencies that no fault may cause: duplicates, incomplete or orphaned rows, unsent messages. */
export function withinDatabase(database: DatabaseFacts): readonly string[] {
  return [...doubles(database), ...halves(database), ...leftBehind(database), ...waiting(database)];
}

function doubles({
  ipallocations,
  ports,
  networksegments,
  networkdhcpagentbindings,
}: DatabaseFacts): readonly string[] {
  const vxlans = networksegments.filter((row) => row.network_type === 'vxlan');
  return [
    ...doubled(ipallocations.map((row) => `${row.ip_address} of subnet ${row.subnet_id}`)).map(
      (it) => `address ${it} is given twice`,
    ),
    ...doubled(ports.map((row) => `${row.mac_address} on network ${row.network_id}`)).map(
      (it) => `MAC ${it} is given twice`,
    ),
    ...doubled(vxlans.map((row) => String(row.segmentation_id))).map((it) => `VNI ${it} is given twice`),
    ...doubled(
      ports
        .filter((row) => row.device_owner === 'network:dhcp')
        .map((row) => `${row.device_id} on network ${row.network_id}`),
    ).map((it) => `DHCP port ${it} is there twice`),
    ...doubled(networkdhcpagentbindings.map((row) => `${row.network_id} to ${row.dhcp_agent_id}`)).map(
      (it) => `network ${it} is bound twice`,
    ),
  ];
}

/** All rows of one resource must exist. */
function halves(database: DatabaseFacts): readonly string[] {
  const ports = database.ports.map((row) => row.id);
  const networks = database.networks.map((row) => row.id);
  const rowsOf = (rows: readonly { readonly port_id: string }[]) => rows.map((row) => row.port_id);
  return [
    ...differences('binding of port', rowsOf(database.ml2_port_bindings), 'a row', ports, 'wanted'),
    ...differences('port security of port', rowsOf(database.portsecuritybindings), 'a row', ports, 'wanted'),
    ...differences(
      'port security of network',
      database.networksecuritybindings.map((row) => row.network_id),
      'a row',
      networks,
      'wanted',
    ),
    ...differences(
      'segment of network',
      database.networksegments.map((row) => row.network_id),
      'a row',
      networks,
      'wanted',
    ),
  ];
}

function leftBehind(database: DatabaseFacts): readonly string[] {
  const { networks, networksegments, subnets, ports, securitygroups } = database;
  const { securitygrouprules: rules, securitygroupdefaultrules: defaultRules } = database;
  const owners = [networks, networksegments, subnets, ports, securitygroups, rules, defaultRules]
    .flat()
    .map((row) => String(row.standard_attr_id));
  const standard = database.standardattributes.map((row) => String(row.id));
  const subnetIds = new Set(subnets.map((row) => row.id));
  const portNetworks = new Map(ports.map((row) => [row.id, row.network_id]));
  const vnis = networksegments.filter((row) => row.network_type === 'vxlan').map((row) => String(row.segmentation_id));
  const networkIds = new Set(networks.map((row) => row.id));
  return [
    ...differences('standard attributes', standard, 'a row', owners, 'somebody names them'),
    ...differences(
      'VNI',
      database.ml2_vxlan_allocations.filter((row) => Number(row.allocated) === 1).map((row) => String(row.vxlan_vni)),
      'allocated',
      vnis,
      'in use',
    ),
    ...database.ipallocations
      .filter((row) => !subnetIds.has(row.subnet_id) || portNetworks.get(row.port_id) !== row.network_id)
      .map(
        (row) =>
          `address ${row.ip_address}: its port ${row.port_id} or its subnet ${row.subnet_id} is gone or elsewhere`,
      ),
    ...database.provisioningblocks
      .filter((row) => !standard.includes(String(row.standard_attr_id)))
      .map((row) => `provisioning block ${row.entity} of ${row.standard_attr_id}: its port is gone`),
    ...[...subnets, ...ports, ...database.networkdhcpagentbindings]
      .filter((row) => !networkIds.has(row.network_id))
      .map((row) => `${JSON.stringify(row)}: its network is gone`),
  ];
}

const waiting = ({ outbox }: DatabaseFacts): readonly string[] =>
  outbox.map((row) => `outbox: ${row.method} of ${row.ordering_key} (row ${row.id}) was not told`);
