import { dhcpDeviceId } from '../../../src/net/dhcp-device-id.ts';
import { differences, grouped } from './differences.ts';
import type { ApiPort, ApiSubnet, DatabaseFacts, Facts, HostFacts } from './facts.ts';

/** The required state of a network on an agent. */
interface Served {
  readonly id: string;
  readonly subnets: readonly ApiSubnet[];
  readonly ports: readonly ApiPort[];
}

/** Returns the deviations of agents from the API: which agents serve what, lines of files, namespaces, devices, processes. */
export function hostAgainstApi(facts: Facts): readonly string[] {
  const { api, database, hosts } = facts;
  const subnets = grouped(api.subnets, (subnet) => subnet.network_id);
  const ports = grouped(api.ports, (port) => port.network_id);
  const wantsDhcp = api.networks
    .filter((network) => network.admin_state_up && subnets.get(network.id)?.some((subnet) => subnet.enable_dhcp))
    .map(({ id }): Served => ({ id, subnets: subnets.get(id) ?? [], ports: ports.get(id) ?? [] }));
  const serving = servingHosts(database);
  return [
    ...wantsDhcp.flatMap((network) => ownPorts(network, serving.get(network.id) ?? [])),
    ...enoughAgents(facts, wantsDhcp, serving),
    ...awaited(facts, wantsDhcp, serving),
    ...hosts.flatMap((host) => {
      const served = wantsDhcp.filter((network) => serving.get(network.id)?.includes(host.host));
      return [...filesOf(host, served), ...partsOf(host, served, api.networks)].map(
        (sentence) => `host ${host.host}: ${sentence}`,
      );
    }),
  ];
}

/** Returns the hosts of the DHCP agents of each network. */
function servingHosts({ agents, networkdhcpagentbindings }: DatabaseFacts): ReadonlyMap<string, readonly string[]> {
  const hosts = new Map(agents.map((row) => [row.id, row.host]));
  const bound = grouped(networkdhcpagentbindings, (row) => row.network_id);
  return new Map([...bound].map(([id, rows]) => [id, rows.map((row) => hosts.get(row.dhcp_agent_id) ?? '(no agent)')]));
}

function enoughAgents(
  { hosts, agentsPerNetwork }: Facts,
  networks: readonly Served[],
  serving: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  const names = new Set(hosts.map(({ host }) => host));
  const wanted = Math.min(agentsPerNetwork, hosts.length);
  return networks.flatMap(({ id }) => {
    const own = serving.get(id) ?? [];
    const living = own.filter((host) => names.has(host));
    if (living.length === wanted && own.length === wanted) return [];
    return [`network ${id} is on the agents of [${own}], of which ${living.length} live; ${wanted} would be right`];
  });
}

/** Each agent that serves a network must have one port on it, with an address in each subnet with DHCP. */
function ownPorts({ id, subnets, ports }: Served, serving: readonly string[]): readonly string[] {
  const own = ports.filter((port) => port.device_owner === 'network:dhcp');
  const wanted = subnets.filter((subnet) => subnet.enable_dhcp).map((subnet) => subnet.id);
  return [
    ...differences(
      `network ${id}: DHCP port`,
      own.map((port) => port.device_id),
      'there',
      serving.map((host) => dhcpDeviceId(host, id)),
      'wanted',
    ),
    ...own.flatMap((port) =>
      differences(
        `network ${id}: DHCP port ${port.id} in subnet`,
        port.fixed_ips.map((ip) => ip.subnet_id),
        'there',
        wanted,
        'wanted',
      ),
    ),
  ];
}

/** Returns ports that wait for an agent to report DHCP as ready, although it serves their network. */
function awaited(
  { database }: Facts,
  networks: readonly Served[],
  serving: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  const blocked = new Set(
    database.provisioningblocks.filter((row) => row.entity === 'DHCP').map((row) => String(row.standard_attr_id)),
  );
  const attributes = new Map(database.ports.map((row) => [row.id, String(row.standard_attr_id)]));
  const served = networks.filter(({ id }) => (serving.get(id) ?? []).length > 0);
  return served
    .flatMap(({ ports }) => ports)
    .filter((port) => blocked.has(attributes.get(port.id) ?? ''))
    .map((port) => `port ${port.id} still waits for DHCP`);
}

/** Compares the lines of `host` and `addn_hosts`, and the folders. */
function filesOf({ files }: HostFacts, served: readonly Served[]): readonly string[] {
  const folders = new Set([...files.keys()].map((path) => path.split('/')[0] ?? ''));
  const lines = (network: Served, name: string, wanted: readonly string[]) => {
    const text = files.get(`${network.id}/${name}`);
    if (text === undefined) return [`network ${network.id} has no file ${name}`];
    const there = text.split('\n').filter(Boolean);
    const several = there.length === new Set(there).size ? [] : [`network ${network.id}: ${name} has a line twice`];
    return [...several, ...differences(`network ${network.id}: line of ${name}`, there, 'there', wanted, 'wanted')];
  };
  return [
    ...differences(
      'folder',
      folders,
      'there',
      served.map(({ id }) => id),
      'wanted',
    ),
    ...served
      .filter(({ id }) => folders.has(id))
      .flatMap((network) => [
        ...lines(
          network,
          'host',
          network.ports.flatMap((port) => hostLines(port, network.subnets)),
        ),
        ...lines(network, 'addn_hosts', network.ports.flatMap(nameLines)),
      ]),
  ];
}

const asksNobody = (port: ApiPort) => ['network:dhcp', 'network:floatingip'].includes(port.device_owner);

/** Returns a port's lines of `host`: MAC, name, address, and a tag if it has its own options. */
function hostLines(port: ApiPort, subnets: readonly ApiSubnet[]): readonly string[] {
  if (asksNobody(port)) return [];
  const tag = (port.extra_dhcp_opts ?? []).length > 0 ? `,set:port-${port.id}` : '';
  return port.fixed_ips.flatMap(({ subnet_id, ip_address: ip }) => {
    const subnet = subnets.find(({ id }) => id === subnet_id);
    const byDhcp = subnet?.ip_version === 4 || subnet?.ipv6_address_mode === 'dhcpv6-stateful';
    if (!subnet?.enable_dhcp || !byDhcp) return [];
    const [head, address] =
      subnet.ip_version === 4 ? [port.mac_address, ip] : [`${port.mac_address},tag:dhcpv6`, `[${ip}]`];
    return [`${head},${nameOf(port, ip)?.fqdn},${address}${tag}`];
  });
}

function nameLines(port: ApiPort): readonly string[] {
  if (asksNobody(port)) return [];
  return port.fixed_ips.map(({ ip_address: ip }) => `${ip}\t${nameOf(port, ip)?.fqdn} ${nameOf(port, ip)?.hostname}`);
}

const nameOf = (port: ApiPort, ip: string) => port.dns_assignment?.find((name) => name.ip_address === ip);

/** Compares namespaces, devices and dnsmasq processes: exactly one of each per served network. */
function partsOf(
  host: HostFacts,
  served: readonly Served[],
  networks: readonly { readonly id: string }[],
): readonly string[] {
  const ids = served.map(({ id }) => id);
  const own = served.flatMap(({ id, ports }) => ports.filter((port) => port.device_id === dhcpDeviceId(host.host, id)));
  const devices = (prefix: string) => host.devices.filter((name) => name.startsWith(prefix));
  const bridged = new Set([...ids, ...host.machines.map((port) => port.network_id)].map(bridge));
  // The bridge of a network that is no longer served remains until the network is deleted.
  const mayBe = new Set(networks.map(({ id }) => bridge(id)));
  const spaces = [...host.namespaces.keys()].filter((name) => name.startsWith('qdhcp-'));
  return [
    ...differences(
      'namespace',
      spaces,
      'there',
      ids.map((id) => `qdhcp-${id}`),
      'wanted',
    ),
    ...differences('device', devices('tap'), 'there', [...own, ...host.machines].map(tap), 'wanted'),
    ...differences(
      'bridge',
      devices('brq').filter((name) => bridged.has(name) || !mayBe.has(name)),
      'there',
      bridged,
      'wanted',
    ),
    ...dnsmasqs(host, ids),
  ];
}

function dnsmasqs({ processes, namespaces }: HostFacts, ids: readonly string[]): readonly string[] {
  const running = processes.filter(({ command }) => /^(\S*\/)?dnsmasq /.test(command));
  const networkOf = (command: string) => /--pid-file=\S*\/([0-9a-f-]{36})\/pid/.exec(command)?.[1] ?? `of "${command}"`;
  const byNetwork = grouped(running, ({ command }) => networkOf(command));
  return [
    ...differences('dnsmasq', byNetwork.keys(), 'runs', ids, 'wanted'),
    ...[...byNetwork].flatMap(([id, own]) => [
      ...(own.length > 1 ? [`network ${id} has ${own.length} dnsmasq: ${own.map(({ pid }) => pid)}`] : []),
      ...own
        .filter(({ network }) => network !== namespaces.get(`qdhcp-${id}`))
        .map(({ pid }) => `dnsmasq ${pid} is not in the namespace of network ${id}`),
    ]),
  ];
}

const tap = (port: { readonly id: string }) => `tap${port.id.slice(0, 11)}`;
const bridge = (networkId: string) => `brq${networkId.slice(0, 11)}`;
