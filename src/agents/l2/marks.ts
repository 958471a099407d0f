import { createHash } from 'node:crypto';
import { BRIDGE_NAME } from '../../net/device-names.ts';

const MARK = 'neutrino:';

/** Short name of one agent: of its host's name and state path, so that two on one machine know their devices apart. */
export function agentMark(agent: { readonly host: string; readonly state_path: string }): string {
  return createHash('sha1').update(`${agent.host} ${agent.state_path}`).digest('hex').slice(0, 8);
}

/** Alias set on every device that an agent makes: for which network, and by which agent. It survives the agent. */
export function markOf(networkId: string, agent: string): string {
  return `${MARK}${networkId}@${agent}`;
}

/** The network that a marked device was made for; undefined for devices that Neutrino did not make. */
export function markedNetwork(alias: string | undefined): string | undefined {
  return alias?.startsWith(MARK) ? alias.slice(MARK.length).split('@', 1)[0] : undefined;
}

/**
 * What the L2 agent makes on a host, for taking it down: only devices of these kinds and names *and* with the mark are
 * Neutrino's. A stock agent's bridges have the same names but no mark. Taps are made by others and never removed.
 */
export const L2_OWNED_DEVICES: readonly { readonly kind: string; readonly name: RegExp }[] = [
  { kind: 'vxlan', name: /^vxlan-\d{1,8}$/ },
  { kind: 'vlan', name: /^.{1,13}\.\d{1,4}$/ },
  { kind: 'bridge', name: BRIDGE_NAME },
];
