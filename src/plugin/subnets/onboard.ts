import type { Caller } from '../../auth/contract.ts';
import type { Trx } from '../../db/database.ts';
import { takePrefix } from '../../ipam/free-prefixes.ts';
import { parseCidr } from '../../net/addresses.ts';
import { addressSet } from '../../net/prefix-sets.ts';
import { neutronError } from '../../resources/errors.ts';
import type { SUBNETPOOL } from '../../resources/subnetpool.ts';
import { PREFIX_DELEGATION } from '../../resources/subnetpool-types.ts';
import { bumpRevision, requireRevision } from '../../store/standard-attributes.ts';
import type { Core } from '../core.ts';
import type { HandlersOf } from '../module.ts';
import { lockNetwork } from '../networks/lock.ts';
import { lockPool, prefixPool } from '../subnetpools/lock.ts';
import { storedPrefixes } from '../subnetpools/prefixes.ts';
import { releasePrefixes } from '../subnetpools/release.ts';
import { notifyRoutersOfScope } from '../subnetpools/routers.ts';
import { changeSpace } from '../subnetpools/update.ts';
import { requireVisibleNetwork } from '../visibility.ts';

/** Throws NetworkNotFound, or PolicyNotAuthorized for a network of another project that the caller only sees. */
async function ownNetwork(trx: Trx, core: Core, caller: Caller, id: string) {
  await requireVisibleNetwork(trx, caller, id);
  const network = await lockNetwork(trx, core.db, id);
  if (!caller.isAdmin && network.project_id !== caller.projectId)
    throw neutronError('PolicyNotAuthorized', { action: 'onboard_network_subnets' });
  return network;
}

/** Adds the subnets of a network to a pool; returns them. Throws NeutronError, among them IllegalSubnetPoolUpdate. */
async function onboard(
  trx: Trx,
  core: Core,
  caller: Caller,
  { id, networkId, revision }: { id: string; networkId: string; revision: number | undefined },
) {
  const network = await ownNetwork(trx, core, caller, networkId);
  const known = await trx.selectFrom('subnets').selectAll().where('network_id', '=', networkId).orderBy('id').execute();
  const poolIds = new Set([id, ...known.flatMap(({ subnetpool_id: pool }) => pool ?? [])]);
  poolIds.delete(PREFIX_DELEGATION);
  for (const poolId of [...poolIds].sort()) await lockPool(trx, core.db, poolId);
  const pool = await lockPool(trx, core.db, id);
  await requireRevision(trx, pool.standard_attr_id, revision);
  const subnets = known.filter(({ ip_version }) => ip_version === pool.ip_version);
  const conflict = (subnet: { id: string; cidr: string }) =>
    neutronError('IllegalSubnetPoolUpdate', {
      reason: `${subnet.cidr} of subnet ${subnet.id} cannot be onboarded, because subnets of subnet pool ${id} overlap it`,
    });
  const delegated = subnets.find(({ subnetpool_id }) => subnetpool_id === PREFIX_DELEGATION || subnetpool_id === id);
  if (delegated) throw conflict(delegated);
  const prefixes = subnets.flatMap(({ cidr }) => parseCidr(cidr) ?? []);
  await changeSpace(trx, core, caller, pool, {
    prefixes: addressSet([...(await storedPrefixes(trx, id)), ...prefixes]),
  });
  await releasePrefixes(trx, core.db, subnets);
  for (const subnet of subnets) {
    const prefix = parseCidr(subnet.cidr);
    if (!prefix || !(await takePrefix(trx, prefixPool(pool), prefix))) throw conflict(subnet);
    await trx.updateTable('subnets').set({ subnetpool_id: id }).where('id', '=', subnet.id).execute();
    await bumpRevision(trx, subnet.standard_attr_id);
  }
  if (subnets.length > 0) {
    await bumpRevision(trx, network.standard_attr_id);
    await notifyRoutersOfScope(trx, id);
  }
  await bumpRevision(trx, pool.standard_attr_id, revision);
  return subnets.map(({ id: subnetId, cidr }) => ({ id: subnetId, cidr }));
}

/** The handler of the action that adds the subnets of a network to a pool. */
export const onboardHandlers = (core: Core): Pick<HandlersOf<typeof SUBNETPOOL>, 'onboard_network_subnets'> => ({
  onboard_network_subnets: (caller, { id, body, revision }) =>
    core.db.transaction((trx) => onboard(trx, core, caller, { id, networkId: body, revision })),
});
