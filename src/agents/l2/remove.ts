import { type InNamespace, ipBatchAll, isNotFound } from '../../linux/ip.ts';
import { type Link, listLinks } from '../../linux/links.ts';
import { L2_OWNED_DEVICES, markedNetwork } from './names.ts';

/** Whether the L2 agent of Neutrino made the device: kind, name and mark must all say so. */
export function isL2Device(link: Pick<Link, 'name' | 'kind' | 'alias'>): boolean {
  return (
    markedNetwork(link.alias) !== undefined &&
    L2_OWNED_DEVICES.some(({ kind, name }) => link.kind === kind && name.test(link.name))
  );
}

/**
 * Removes every device that the L2 agent has made on this host, or only those of some networks, and nothing else; devices
 * plugged into its bridges are let go of. Gives their names. No agent may run meanwhile: it would make them again. Throws the
 * first IpFailed.
 */
export async function removeL2Devices(
  where: InNamespace & { readonly networks?: ReadonlySet<string> } = {},
): Promise<readonly string[]> {
  const { networks } = where;
  const ours = (link: Link) => isL2Device(link) && (networks?.has(markedNetwork(link.alias) ?? '') ?? true);
  const names = (await listLinks(where)).filter(ours).map((link) => link.name);
  const failures = await ipBatchAll(
    names.map((name) => ['link', 'delete', 'dev', name]),
    where,
  );
  const failure = failures.find((failed) => !isNotFound(failed));
  if (failure) throw failure;
  return names;
}
