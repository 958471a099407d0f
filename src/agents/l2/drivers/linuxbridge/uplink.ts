import { listAddresses, parseAddresses } from '../../../../linux/addresses.ts';
import { type InNamespace, ipQuery } from '../../../../linux/ip.ts';
import type { MonitoredLink } from '../../../../linux/link-monitor.ts';
import { bridgeName } from '../../../../net/device-names.ts';
import type { Bridges } from './bridges.ts';
import { markOf } from './marks.ts';
import { addUplinkCommands, CannotWire, type Uplink } from './segment.ts';
import { disableIpv6, runSteps, type WiringStep } from './steps.ts';

/** A host on which networks get uplinks. */
interface UplinkHost {
  readonly links: () => ReadonlyMap<string, MonitoredLink>;
  readonly bridges: Bridges;
  readonly mark: string;
  readonly where: InNamespace;
}

/**
 * Connects a network's bridge to the other hosts; nothing happens when it is connected. Throws CannotWire for an uplink that
 * would not work or would cut off the host, IpFailed.
 */
export async function joinOtherHosts(
  network: { readonly networkId: string; readonly mtu: number; readonly uplink: Uplink },
  host: UplinkHost,
): Promise<void> {
  const { networkId, mtu, uplink } = network;
  const { links, bridges, mark, where } = host;
  const bridge = bridgeName(networkId);
  if (links().get(uplink.device)?.master === bridge) return;
  const below = await checkUplink(uplink, bridge, host);
  const { steps, created } = bridges.bring(networkId, mtu);
  const joinSteps: readonly WiringStep[] = [
    ...(uplink.kind === 'vlan' ? [{ command: ['link', 'set', 'dev', uplink.parent, 'up'] }] : []),
    ...steps,
    ...(links().has(uplink.device)
      ? []
      : addUplinkCommands(uplink, markOf(networkId, mark), below).map((command) => ({ command }))),
    ...(uplink.kind === 'flat' ? [] : [{ command: ['link', 'set', 'dev', uplink.device, 'mtu', String(mtu)] }]),
    { command: ['link', 'set', 'dev', uplink.device, 'master', bridge, 'up'] },
  ];
  const [failure] = await runSteps(joinSteps, where);
  await disableIpv6(created, where);
  if (!failure) return;
  bridges.forget(bridge);
  if (uplink.kind === 'vlan' && /Unknown device type|Operation not supported/.test(failure.reason)) {
    const { vid, parent } = uplink;
    throw new CannotWire(
      `VLAN ${vid} on ${parent}: this kernel has no 802.1Q support (module 8021q): ${failure.reason}`,
    );
  }
  throw failure;
}

/** Rejects uplinks that would not work, or would cut off the host; returns the device that VXLAN packets leave by. */
async function checkUplink(uplink: Uplink, bridge: string, { links, where }: UplinkHost): Promise<string | undefined> {
  if (uplink.kind === 'vxlan') {
    const [answer] = await ipQuery([['addr', 'show', 'to', uplink.localIp]], where);
    const holder = [...parseAddresses(answer)].find(([, addresses]) => addresses.length > 0)?.[0];
    if (!holder) throw new CannotWire(`[vxlan] local_ip ${uplink.localIp}: no device of this host has this address`);
    return holder;
  }
  const physical = uplink.kind === 'vlan' ? uplink.parent : uplink.device;
  const link = links().get(physical);
  if (!link)
    throw new CannotWire(`[linux_bridge] physical_interface_mappings names ${physical}, which this host lacks`);
  if (uplink.kind === 'vlan') return undefined;
  if (link.master !== undefined && link.master !== bridge) {
    throw new CannotWire(`${physical} is plugged into ${link.master} already; a flat network needs it for itself`);
  }
  const own = (await listAddresses(physical, where)).filter((address) => address.scope !== 'link');
  if (own.length > 0) {
    const addresses = own.map((address) => address.address).join(', ');
    throw new CannotWire(
      `${physical} has addresses of the host (${addresses}), which would be cut off in a bridge; a flat network needs a device without`,
    );
  }
  return undefined;
}
