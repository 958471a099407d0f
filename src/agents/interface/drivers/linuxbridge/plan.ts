import type { IpCommand } from '../../../../linux/ip.ts';
import { addVethCommand, type Link } from '../../../../linux/links.ts';
import type { AgentDevice } from '../../device.ts';

/** The two ends of a device as they are. */
export interface ActualEnds {
  /** The host's end. */
  readonly outer: Link | undefined;
  /** Devices of the namespace. */
  readonly inner: readonly Link[];
}

/** Steps to run, on the host first. `fresh`: they remove whatever conflicts with a new pair, which must then be created. */
export interface DevicePlan {
  readonly host: readonly IpCommand[];
  readonly inside: readonly IpCommand[];
  readonly fresh: boolean;
}

/** Names of devices that agents create in namespaces (`ns-`: Neutron's name of the inner end). */
const AGENT_DEVICE = /^(tap|ns-|qr-|qg-)/;

/** Returns the steps from the actual to the wanted state; none when it is right already. */
export function planDevice(wanted: AgentDevice, alias: string, { outer, inner: devices }: ActualEnds): DevicePlan {
  const { name, mtu, mac, siblings } = wanted;
  const inner = devices.find((link) => link.name === name);
  const paired =
    inner?.kind === 'veth' &&
    outer?.kind === 'veth' &&
    inner.peerIndex === outer.index &&
    outer.peerIndex === inner.index;
  // Devices of earlier ports. Only what agents create is touched.
  const stale = devices.filter(
    (link) => link.name !== name && !siblings.includes(link.name) && AGENT_DEVICE.test(link.name),
  );
  const inside: IpCommand[] = stale.map((link) => ['link', 'delete', 'dev', link.name]);
  const host: IpCommand[] = [];
  // With another MAC the inner end would keep the IPv6 link-local address of the old one.
  if (!paired || inner.mac !== mac) {
    if (outer) host.push(['link', 'delete', 'dev', name]);
    // Half a pair cannot be: the inner end goes with the outer one, unless it is a stranger of this name.
    if (inner && inner.peerIndex !== outer?.index) inside.push(['link', 'delete', 'dev', name]);
    return { host, inside, fresh: true };
  }
  if (outer.mtu !== mtu) host.push(['link', 'set', 'dev', name, 'mtu', String(mtu)]);
  if (outer.alias !== alias) host.push(['link', 'set', 'dev', name, 'alias', alias]);
  if (!outer.up) host.push(['link', 'set', 'dev', name, 'up']);
  if (inner.mtu !== mtu) inside.push(['link', 'set', 'dev', name, 'mtu', String(mtu)]);
  if (!inner.up) inside.push(['link', 'set', 'dev', name, 'up']);
  if (devices.some((link) => link.name === 'lo' && !link.up)) inside.push(['link', 'set', 'dev', 'lo', 'up']);
  return { host, inside, fresh: false };
}

/** Returns the steps for a device that does not exist, and for its namespace when `makeNamespace`. */
export function planNewDevice(
  { name, namespace, mtu, mac }: AgentDevice,
  alias: string,
  options: { readonly makeNamespace: boolean },
): Omit<DevicePlan, 'fresh'> {
  return {
    host: [
      ...(options.makeNamespace ? [['netns', 'add', namespace]] : []),
      addVethCommand({ name }, { name, namespace, mac }, mtu),
      ['link', 'set', 'dev', name, 'alias', alias, 'up'],
    ],
    inside: [
      ['link', 'set', 'dev', 'lo', 'up'],
      ['link', 'set', 'dev', name, 'up'],
    ],
  };
}
