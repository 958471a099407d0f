import { parseAddresses } from '../../linux/addresses.ts';
import { type IpCommand, ipQuery } from '../../linux/ip.ts';
import { type Link, listLinks, parseLinks } from '../../linux/links.ts';
import { namespaceExists } from '../../linux/namespaces.ts';
import { parseRoutes, ROUTES_QUERY } from '../../linux/routes.ts';
import { setSysctlsAndIp } from '../../linux/sysctl.ts';
import type { AgentDevice, InsideSetup, NamespaceState } from './device.ts';

/** What an agent is shown of a device that is new in its namespace. */
export const NEW: NamespaceState = { up: false, addresses: [], routes: [] };

/** Returns the devices of a namespace, and the state of one of them: one process. Throws if there is no such namespace. */
export async function lookInside({ name, namespace }: Pick<AgentDevice, 'name' | 'namespace'>): Promise<{
  readonly inner: readonly Link[];
  readonly state: NamespaceState;
}> {
  const answers = await ipQuery([['addr', 'show'], ROUTES_QUERY], { namespace });
  const inner = parseLinks(answers[0]);
  return {
    inner,
    state: {
      up: inner.some((link) => link.name === name && link.up),
      addresses: parseAddresses(answers[0]).get(name) ?? [],
      routes: parseRoutes(answers[1]),
    },
  };
}

/** Returns the names of the devices of ports in a namespace; none if there is no such namespace. */
export async function portDevicesIn(namespace: string, kind?: string): Promise<readonly string[]> {
  if (!(await namespaceExists(namespace))) return [];
  const links = await listLinks({ namespace, ...(kind === undefined ? {} : { kind }) });
  return links.map((link) => link.name).filter((name) => name.startsWith('tap'));
}

/** Changes settings and devices inside a namespace; nothing without steps. */
export async function setUpInside(
  { namespace }: Pick<AgentDevice, 'namespace'>,
  steps: readonly IpCommand[],
  settings: InsideSetup['settings'],
): Promise<void> {
  if (steps.length > 0) await setSysctlsAndIp(settings, steps, { namespace });
}
