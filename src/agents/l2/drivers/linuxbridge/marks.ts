import { createHash } from 'node:crypto';
import { BRIDGE_NAME } from '../../../../net/device-names.ts';

const MARK = 'neutrino:';

/** Returns a short name of one agent, by its host and state path: two on one machine distinguish their devices by it. */
export function agentMark(agent: { readonly host: string; readonly state_path: string }): string {
  return createHash('sha1').update(`${agent.host} ${agent.state_path}`).digest('hex').slice(0, 8);
}

/** Returns the alias of a device that an agent creates: its network and the agent. It survives the agent. */
export function markOf(networkId: string, agent: string): string {
  return `${MARK}${networkId}@${agent}`;
}

/** Returns the network for which a marked device was created; undefined for devices that Neutrino did not create. */
export function markedNetwork(alias: string | undefined): string | undefined {
  return alias?.startsWith(MARK) ? alias.slice(MARK.length).split('@', 1)[0] : undefined;
}

/**
 * Identifies what the driver creates on a host, for its removal: only devices of these kinds and names *and* with the mark are
 * Neutrino's. A stock agent's bridges have the same names but no mark. Taps are created by others and never removed.
 */
export const OWNED_DEVICES: readonly { readonly kind: string; readonly name: RegExp }[] = [
  { kind: 'vxlan', name: /^vxlan-\d{1,8}$/ },
  { kind: 'vlan', name: /^.{1,13}\.\d{1,4}$/ },
  { kind: 'bridge', name: BRIDGE_NAME },
];
