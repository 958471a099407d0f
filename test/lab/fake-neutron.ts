import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { linkExists, setMaster } from '../linux/devices.ts';
import type { DnsmasqWorld } from './dnsmasq-world.ts';

interface FakePort {
  readonly id: string;
  readonly mac_address: string;
  status: string;
  readonly network_id: string;
  readonly device_id: string;
  readonly fixed_ips: readonly { subnet_id: string; ip_address: string }[];
  readonly 'binding:vif_type': string;
}

/**
 * As much of Neutron as the lab asks for, and as much of its agents: a tap device of a port is plugged when the port is looked
 * at.
 */
export interface FakeNeutron {
  readonly url: string;
  readonly ports: Map<string, FakePort>;
  /** Bodies of all POST /v2.0/ports. */
  readonly asked: Record<string, unknown>[];
  readonly network: { readonly id: string; readonly name: string };
  readonly silentNetwork: { readonly id: string; readonly name: string };
  /** Intentional defects of the fake. */
  readonly faults: {
    neverActive: boolean;
    bindingFailed: boolean;
    wrongAddress?: string;
    beforePortAnswer?: () => void;
  };
  stop(): Promise<void>;
}

/** Starts it on a free port, with a network that the world's dnsmasq serves, one without DHCP, and two of the same name. */
export async function startFakeNeutron(world: DnsmasqWorld): Promise<FakeNeutron> {
  const ports = new Map<string, FakePort>();
  const asked: Record<string, unknown>[] = [];
  const faults: FakeNeutron['faults'] = { neverActive: false, bindingFailed: false };
  const named = (name: string) => ({ id: randomUUID(), name, mtu: 1450, tenant_id: 'a-project' });
  const [network, silentNetwork, twin, otherTwin] = [named('net1'), named('silent'), named('twin'), named('twin')];
  const networks = [network, silentNetwork, twin, otherTwin];
  const subnetOf = (networkId: string) => `subnet of ${networkId}`;
  let last = 100;

  async function createPort(body: Record<string, unknown>) {
    asked.push(body);
    last += 1;
    const [wanted] = (body.fixed_ips ?? []) as { ip_address: string }[];
    const networkId = String(body.network_id);
    const port: FakePort = {
      id: randomUUID(),
      mac_address: `fa:16:3e:${world.id.slice(0, 2)}:${world.id.slice(2, 4)}:${(last % 256).toString(16).padStart(2, '0')}`,
      status: 'DOWN',
      network_id: networkId,
      device_id: String(body.device_id),
      fixed_ips: [{ subnet_id: subnetOf(networkId), ip_address: wanted?.ip_address ?? `10.64.0.${last}` }],
      'binding:vif_type': faults.bindingFailed ? 'binding_failed' : 'bridge',
    };
    ports.set(port.id, port);
    const served = [...ports.values()].filter((one) => one.network_id === network.id);
    await world.setHosts(
      served.map(
        (one) => `${one.mac_address},host-${one.id.slice(0, 4)},${faults.wrongAddress ?? one.fixed_ips[0]?.ip_address}`,
      ),
    );
    return port;
  }

  async function lookAt(port: FakePort): Promise<FakePort> {
    const device = `tap${port.id.slice(0, 11)}`;
    if (!faults.neverActive && port.status === 'DOWN' && (await linkExists(device))) {
      await setMaster(device, world.bridge);
      port.status = 'ACTIVE';
    }
    return port;
  }

  async function answer(method: string, url: URL, body: string): Promise<[number, unknown]> {
    const [, , collection, id] = url.pathname.split('/');
    const matches = (one: object) =>
      [...url.searchParams].every(([name, value]) => (one as Record<string, unknown>)[name] === value);
    if (collection === 'extensions') return [200, { extension: { alias: id } }];
    if (collection === 'networks') return [200, { networks: networks.filter(matches) }];
    if (collection === 'subnets') {
      const networkId = url.searchParams.get('network_id') ?? '';
      const enabled = networkId !== silentNetwork.id;
      return [
        200,
        { subnets: [{ id: subnetOf(networkId), cidr: '10.64.0.0/24', ip_version: 4, enable_dhcp: enabled }] },
      ];
    }
    if (collection !== 'ports') return [404, {}];
    if (method === 'POST') return [201, { port: await createPort(JSON.parse(body).port) }];
    if (id === undefined) return [200, { ports: [...ports.values()].filter(matches) }];
    const port = ports.get(id);
    if (!port) return [404, { NeutronError: { type: 'PortNotFound', message: `Port ${id} could not be found.` } }];
    if (method === 'DELETE') return [204, ports.delete(id)];
    return [200, { port: await lookAt(port) }];
  }

  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    try {
      const [status, document] = await answer(request.method ?? '', new URL(request.url ?? '/', 'http://fake'), body);
      if (request.method === 'POST') faults.beforePortAnswer?.();
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(status === 204 ? undefined : JSON.stringify(document));
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ports,
    asked,
    network,
    silentNetwork,
    faults,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
