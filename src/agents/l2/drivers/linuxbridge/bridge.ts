import type { IpCommand } from '../../../../linux/ip.ts';
import type { MonitoredLink } from '../../../../linux/link-monitor.ts';
import type { WiringStep } from './steps.ts';

const set = (device: string, ...words: readonly string[]): IpCommand => ['link', 'set', 'dev', device, ...words];

/**
 * Creates a network's bridge: no spanning tree and no forwarding delay, so that a machine's first DHCPDISCOVER gets through; no
 * multicast snooping, because with it one guest that sends MLD queries decides who receives neighbour discovery.
 * `options`: further ones of `ip link ... type bridge`.
 */
export function makeBridge(
  bridge: string,
  mark: string,
  mtu: number,
  options: readonly string[] = [],
): readonly WiringStep[] {
  return [
    {
      command: [
        ...['link', 'add', 'name', bridge, 'type', 'bridge'],
        ...['forward_delay', '0', 'stp_state', '0', 'mcast_snooping', '0', ...options],
      ],
    },
    { command: set(bridge, 'alias', mark) },
    // No link-local address, not even for the moment until IPv6 is off. Kernels without IPv6 refuse the command.
    { command: set(bridge, 'addrgenmode', 'none'), optional: true },
    // Set, not given at creation: only so does the kernel keep it when ports with other MTUs come and go.
    { command: set(bridge, 'mtu', String(mtu), 'up') },
  ];
}

/**
 * Sets MTU and state of an existing bridge, and, the first time, removes its forwarding delay, even if something else created it.
 */
export function adjustBridge(
  bridge: MonitoredLink,
  mtu: number,
  firstTime: boolean,
  options: readonly string[] = [],
): readonly WiringStep[] {
  return [
    ...(firstTime
      ? [{ command: set(bridge.name, 'type', 'bridge', 'forward_delay', '0', 'stp_state', '0', ...options) }]
      : []),
    ...(bridge.mtu === mtu && bridge.up ? [] : [{ command: set(bridge.name, 'mtu', String(mtu), 'up') }]),
  ];
}

/** Whether a device carries traffic of the bridge as wanted. */
export function isPlugged(link: MonitoredLink, bridge: string, mtu: number): boolean {
  return link.master === bridge && link.mtu === mtu && link.up;
}

/** Plugs a device into a bridge; no steps when it is right already. */
export function plug(link: MonitoredLink, bridge: string, mtu: number): readonly WiringStep[] {
  if (isPlugged(link, bridge, mtu)) return [];
  return [{ command: set(link.name, 'mtu', String(mtu), 'master', bridge, 'up') }];
}

/** Whether a device is in no bridge and down. */
export function isCutOff(link: MonitoredLink): boolean {
  return link.master === undefined && !link.up;
}

/** Cuts a device off; no steps when it is off already. */
export function unplug(link: MonitoredLink): readonly WiringStep[] {
  return isCutOff(link) ? [] : [{ command: set(link.name, 'nomaster', 'down') }];
}
