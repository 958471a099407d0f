import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { NicLease } from '../../src/lab/contract.ts';
import type { PortDocument } from '../../src/rpc/documents.ts';
import { waitFor } from '../../src/time/wait.ts';
import type { ApiClient } from '../support/api-client.ts';
import type { HostGuest } from '../support/hosts/test-host.ts';
import type { AgentHost } from './agent-host.ts';

/** A stock agent looks at its networks one at a time, and a machine may be loaded. */
const PATIENCE_MS = 60_000;
export const LEASE_MS = 60_000;

/** Waits for something that comes about by itself. */
export function eventually<T>(what: string, probe: () => Promise<T | undefined | false>): Promise<T> {
  return waitFor(what, async () => (await probe()) || undefined, { timeoutMs: PATIENCE_MS, intervalMs: 200 });
}

/**
 * Lines of a file that the DHCP agent of a host keeps of a network (`host`, `opts`, `addn_hosts`), sorted; none while it is not
 * there.
 */
export async function dhcpLines(on: AgentHost, networkId: string, name: string): Promise<readonly string[]> {
  const text = await readFile(join(on.statePath, 'dhcp', networkId, name), 'utf8').catch(() => '');
  return text.split('\n').filter(Boolean).toSorted();
}

/** Pid, on its host, of the dnsmasq that serves a network; undefined when none does. */
export async function dnsmasqPid(on: AgentHost, networkId: string): Promise<number | undefined> {
  const [pid] = await dhcpLines(on, networkId, 'pid');
  if (pid === undefined) return undefined;
  const { exitCode, output } = await on.host.tryRun('cat', `/proc/${pid}/cmdline`);
  return exitCode === 0 && output.startsWith('dnsmasq') ? Number(pid) : undefined;
}

export async function hasNamespace(on: AgentHost, networkId: string): Promise<boolean> {
  return (await on.host.run('ip', 'netns', 'list')).includes(`qdhcp-${networkId}`);
}

export const awaitServed = (on: AgentHost, networkId: string): Promise<number> =>
  eventually(`a dnsmasq for network ${networkId} on ${on.host.name}`, () => dnsmasqPid(on, networkId));

/**
 * Waits until the DHCP ports of a network, one for each of its agents, are ACTIVE: whoever deletes a network before finds a
 * stock server in the middle of binding them, which it then calls an error.
 */
export async function awaitSettled(api: ApiClient, networkId: string, agents: number): Promise<void> {
  await eventually(`${agents} ACTIVE DHCP ports on network ${networkId}`, async () => {
    const ports = await api.ports(`network_id=${networkId}&device_owner=network:dhcp`);
    return ports.length === agents && ports.every(({ status }) => status === 'ACTIVE');
  });
}

/** Waits until nothing serves the network on the host. */
export async function awaitUnserved(on: AgentHost, networkId: string): Promise<void> {
  await eventually(
    `no dnsmasq for network ${networkId} on ${on.host.name}`,
    async () => (await dnsmasqPid(on, networkId)) === undefined,
  );
}

/** Waits until a line of the host file has the port's MAC and all its addresses. */
export async function awaitPort(on: AgentHost, port: PortDocument): Promise<void> {
  const wanted = [port.mac_address, ...port.fixed_ips.map(({ ip_address }) => ip_address)];
  await eventually(`port ${port.id} in the host file on ${on.host.name}`, async () => {
    const lines = await dhcpLines(on, port.network_id, 'host');
    return wanted.every((part) => lines.some((line) => line.includes(part)));
  });
}

export async function awaitNoPort(on: AgentHost, port: PortDocument): Promise<void> {
  await eventually(`port ${port.id} to be gone from the host file on ${on.host.name}`, async () => {
    const lines = await dhcpLines(on, port.network_id, 'host');
    return !lines.some((line) => line.includes(port.mac_address));
  });
}

/** Has the machine renew until the lease is as wanted. */
export function renewedUntil(guest: HostGuest, what: string, right: (lease: NicLease) => boolean): Promise<NicLease> {
  return eventually(`a lease with ${what}`, async () => {
    const lease = await guest.renew('eth0', 15_000).catch(() => undefined);
    return lease && right(lease) ? lease : undefined;
  });
}
