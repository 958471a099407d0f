import type { NetworkInfo, SubnetDocument } from '../../../rpc/documents.ts';

function byId<T extends { readonly id: string }>(documents: readonly T[]): readonly T[] {
  return [...documents].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}

function sortRoutes(subnet: SubnetDocument): SubnetDocument {
  if (subnet.host_routes.length < 2) return subnet;
  const key = (route: SubnetDocument['host_routes'][number]) => `${route.destination} ${route.nexthop}`;
  return { ...subnet, host_routes: [...subnet.host_routes].sort((a, b) => (key(a) < key(b) ? -1 : 1)) };
}

/**
 * Returns the document with sorted lists, whatever their order in the server's message, so that the same network yields the same
 * files and command line, and is not reloaded without a change. Ports remain the same objects, which are the keys of cached lines.
 */
export function canonicalNetwork(info: NetworkInfo): NetworkInfo {
  return {
    ...info,
    subnets: byId(info.subnets).map(sortRoutes),
    non_local_subnets: byId(info.non_local_subnets ?? []).map(sortRoutes),
    ports: byId(info.ports),
  };
}
