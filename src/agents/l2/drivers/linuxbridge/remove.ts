import { type InNamespace, ipBatchAll, isNotFound } from '../../../../linux/ip.ts';
import { type Link, listLinks } from '../../../../linux/links.ts';
import { markedNetwork, OWNED_DEVICES } from './marks.ts';

/** Returns the network for which Neutrino created the device: kind, name and mark must all agree. */
export function networkOfDevice(link: Pick<Link, 'name' | 'kind' | 'alias'>): string | undefined {
  const known = OWNED_DEVICES.some(({ kind, name }) => link.kind === kind && name.test(link.name));
  return known ? markedNetwork(link.alias) : undefined;
}

/**
 * Removes every device that an L2 agent of Neutrino has created on this host, or only those of some networks, and nothing
 * else; devices plugged into its bridges are released. Returns their names. No agent may run meanwhile, because it would create
 * them again. Throws the first IpFailed.
 */
export async function removeDevices(
  where: InNamespace & { readonly networks?: ReadonlySet<string> },
): Promise<readonly string[]> {
  const { networks } = where;
  const names = (await listLinks(where)).flatMap((link) => {
    const network = networkOfDevice(link);
    return network !== undefined && (networks?.has(network) ?? true) ? [link.name] : [];
  });
  const failures = await ipBatchAll(
    names.map((name) => ['link', 'delete', 'dev', name]),
    where,
  );
  const failure = failures.find((failed) => !isNotFound(failed));
  if (failure) throw failure;
  return names;
}
