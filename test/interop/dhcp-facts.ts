import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { NicLease } from '../../src/lab/contract.ts';
import type { PortDocument } from '../../src/rpc/documents.ts';
import { waitFor } from '../../src/time/wait.ts';
import type { ApiClient } from '../support/api-client.ts';
import type { HostGuest } from '../support/hosts/test-host.ts';
import type { AgentHost } from './agent-host.ts';

/** Generous, because a stock agent checks its networks one at a time, and the machine may be loaded. */
const PATIENCE_MS = 60_000;
export const LEASE_MS = 60_000;

/** Waits for a condition. */
export function eventually<T>(what: string, probe: () => Promise<T | undefined | false>): Promise<T> {
  return waitFor(what, async () => (await probe()) || undefined, { timeoutMs: PATIENCE_MS, intervalMs: 200 });
}

/**
 * Returns the sorted lines of a network's file of the DHCP agent on a host (`host`, `opts`, `addn_hosts`); none if it does not
 * exist.
 */
export async function dhcpLines(on: AgentHost, networkId: string, name: string): Promise<readonly string[]> {
  const text = await readFile(join(on.statePath, 'dhcp', networkId, name), 'utf8').catch(() => '');
  return text.split('\n').filter(Boolean).toSorted();
}

/** Returns the pid, on its host, of a network's dnsmasq; undefined if none is running. */
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
 * Waits until the DHCP ports of a network, one per agent, are ACTIVE: if the network is deleted earlier, a stock server that is
 * still binding them logs an error.
 */
export async function awaitSettled(api: ApiClient, networkId: string, agents: number): Promise<void> {
  await eventually(`${agents} ACTIVE DHCP ports on network ${networkId}`, async () => {
    const ports = await api.ports(`network_id=${networkId}&device_owner=network:dhcp`);
    return ports.length === agents && ports.every(({ status }) => status === 'ACTIVE');
  });
}

/** Waits until the network is no longer served on the host. */
export async function awaitUnserved(on: AgentHost, networkId: string): Promise<void> {
  await eventually(
    `no dnsmasq for network ${networkId} on ${on.host.name}`,
    async () => (await dnsmasqPid(on, networkId)) === undefined,
  );
}

/** Waits until a line of the host file contains the port's MAC and all its addresses. */
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

/** Makes the machine renew until the lease is as expected. */
export function renewedUntil(guest: HostGuest, what: string, right: (lease: NicLease) => boolean): Promise<NicLease> {
  return eventually(`a lease with ${what}`, async () => {
    const lease = await guest.renew('eth0', 15_000).catch(() => undefined);
    return lease && right(lease) ? lease : undefined;
  });
}
