import { checkDeviceName } from '../net/device-names.ts';
import type { IpCommand } from './ip.ts';

/** A unicast route of the main table. */
export interface Route {
  readonly family: 4 | 6;
  /** `default`, `10.0.0.0/24`, or an address for a host route. */
  readonly destination: string;
  readonly gateway?: string;
  readonly device?: string;
  /** `link`: on link, without a gateway. */
  readonly scope: string;
  /** What created it: `kernel` (with an address), `boot` or `static` (an administrator), `ra` (a router advertisement). */
  readonly protocol: string;
}

interface RouteJson {
  type?: string;
  dst: string;
  gateway?: string;
  via?: { host: string };
  dev?: string;
  scope?: string;
  protocol?: string;
  table?: string;
}

/** Reads the answer of `ip -j -d route show table all`. */
export function parseRoutes(json: unknown): readonly Route[] {
  return (json as RouteJson[])
    .filter((route) => (route.type ?? 'unicast') === 'unicast' && (route.table ?? 'main') === 'main')
    .map((route) => {
      const gateway = route.gateway ?? route.via?.host;
      return {
        family: isIpv6(route) ? (6 as const) : (4 as const),
        destination: route.dst,
        scope: route.scope ?? 'global',
        protocol: route.protocol ?? 'boot',
        ...(gateway === undefined ? {} : { gateway }),
        ...(route.dev === undefined ? {} : { device: route.dev }),
      };
    });
}

/** The family of `default` follows from its gateway or, without one, from `pref`, which only IPv6 routes have. */
function isIpv6(route: RouteJson): boolean {
  return (
    [route.dst, route.gateway ?? ''].some((text) => text.includes(':')) || (route.dst === 'default' && 'pref' in route)
  );
}

/** The command whose answer `parseRoutes` reads; both families in one process. */
export const ROUTES_QUERY: IpCommand = ['route', 'show', 'table', 'all'];

export function isDefaultRoute(route: Route): boolean {
  return route.destination === 'default';
}

/** Whether it is an on-link route that did not come with an address. */
export function isOnLinkRoute(route: Route): boolean {
  return route.gateway === undefined && route.protocol !== 'kernel' && route.destination !== 'default';
}

/** Returns the command that sets, or replaces, the default route of the gateway's family. */
export function defaultRouteCommand(gateway: string, device: string): IpCommand {
  return ['route', 'replace', 'default', 'via', gateway, 'dev', checkDeviceName(device)];
}

/** Returns the command that sets an on-link route to an address or subnet (for a gateway outside the subnet). */
export function onLinkRouteCommand(destination: string, device: string): IpCommand {
  return [
    'route',
    'replace',
    destination,
    'dev',
    checkDeviceName(device),
    ...(destination.includes(':') ? [] : ['scope', 'link']),
  ];
}

/** Returns the command that deletes a route that `parseRoutes` returned. */
export function deleteRouteCommand(route: Route): IpCommand {
  return [
    ...['route', 'del', route.destination === 'default' && route.family === 6 ? '::/0' : route.destination],
    ...(route.gateway === undefined ? [] : ['via', route.gateway]),
    ...(route.device === undefined ? [] : ['dev', route.device]),
  ];
}
