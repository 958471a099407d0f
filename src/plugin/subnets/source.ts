import type { Caller } from '../../auth/contract.ts';
import type { Trx } from '../../db/database.ts';
import { type Cidr, parseIp } from '../../net/addresses.ts';
import { prefixOf } from '../../net/prefix-sets.ts';
import type { CreateOf } from '../../resources/attribute.ts';
import { neutronError } from '../../resources/errors.ts';
import type { SUBNET } from '../../resources/subnet.ts';
import { SUBNETPOOL } from '../../resources/subnetpool.ts';
import { PREFIX_DELEGATION } from '../../resources/subnetpool-types.ts';
import type { Core } from '../core.ts';
import { allocatePrefix } from '../subnetpools/allocate.ts';
import { type LockedPool, lockPool } from '../subnetpools/lock.ts';
import { isVisible, requireVisible, seesAll } from '../visibility.ts';
import type { Origin } from './affinity.ts';
import { checkCidr } from './checks.ts';

export type SubnetCreate = CreateOf<typeof SUBNET>;

const badSubnets = (reason: string) => neutronError('BadRequest', { resource: 'subnets', reason });

/** Prefix of subnets until a router obtains theirs by prefix delegation; several subnets can have it. */
const PROVISIONAL: Cidr = prefixOf(6, 0n, 64);

/** Where the prefix of a new subnet comes from: the request (`cidr` alone), a pool, or prefix delegation. */
export interface PrefixSource {
  readonly cidr: Cidr | undefined;
  readonly poolId: Origin;
}

/** Returns the id of the default pool of the subnet's IP version that the caller may see. Throws BadRequest if there is none. */
async function defaultPool(trx: Trx, core: Core, caller: Caller, values: SubnetCreate): Promise<string> {
  const version = values.ip_version;
  if (version === 6 && core.config.DEFAULT.ipv6_pd_enabled) return PREFIX_DELEGATION;
  const found = await trx
    .selectFrom('defaultsubnetpools')
    .select('subnetpool_id')
    .where('ip_version', '=', version)
    .executeTakeFirst();
  const none = badSubnets(`No default subnetpool found for IPv${version}`);
  if (!found) throw none;
  if (!seesAll(caller) && !(await isVisible(trx, caller, SUBNETPOOL, found.subnetpool_id))) throw none;
  return found.subnetpool_id;
}

/** Throws BadRequest for a subnet that cannot have a delegated prefix. */
function requireDelegable({ ip_version, ipv6_ra_mode, ipv6_address_mode }: SubnetCreate): void {
  if (ip_version !== 6) throw badSubnets('prefix delegation is for IPv6 subnets');
  const delegable = (mode: string | undefined): boolean => mode === 'slaac' || mode === 'dhcpv6-stateless';
  if (!delegable(ipv6_ra_mode)) throw badSubnets('prefix delegation needs ipv6_ra_mode slaac or dhcpv6-stateless');
  if (!delegable(ipv6_address_mode))
    throw badSubnets('prefix delegation needs ipv6_address_mode slaac or dhcpv6-stateless');
}

/** Returns where the prefix of a new subnet comes from. Throws BadRequest for requests that contradict themselves. */
export async function prefixSource(trx: Trx, core: Core, caller: Caller, values: SubnetCreate): Promise<PrefixSource> {
  const text = values.cidr ?? undefined;
  if (text !== undefined && values.prefixlen !== undefined)
    throw badSubnets('cidr and prefixlen must not be supplied together');
  const named = values.subnetpool_id ?? undefined;
  if (values.use_default_subnetpool && named !== undefined)
    throw badSubnets('subnetpool_id and use_default_subnetpool exclude each other');
  const poolId = values.use_default_subnetpool ? await defaultPool(trx, core, caller, values) : named;
  const cidr = text === undefined ? undefined : checkCidr(text, values.ip_version);
  if (poolId === undefined) {
    if (cidr === undefined) throw badSubnets('a subnetpool must be specified in the absence of a cidr');
    return { cidr, poolId };
  }
  if (cidr === undefined && values.allocation_pools !== undefined) throw badSubnets('allocation_pools need a cidr');
  if (poolId !== PREFIX_DELEGATION) return { cidr, poolId };
  // As in Neutron, a subnet with a specific prefix is an ordinary one.
  if (cidr) return { cidr, poolId: undefined };
  requireDelegable(values);
  return { cidr: PROVISIONAL, poolId };
}

/** Locks pools in the order of their ids: their address scopes do not change meanwhile. */
async function lockPools(trx: Trx, core: Core, origins: readonly Origin[]): Promise<ReadonlyMap<string, LockedPool>> {
  const ids = new Set(origins.filter((id) => id !== undefined && id !== PREFIX_DELEGATION));
  const locked = new Map<string, LockedPool>();
  for (const id of [...ids].sort()) if (id !== undefined) locked.set(id, await lockPool(trx, core.db, id));
  return locked;
}

/** The prefix of a new subnet, and the locked pools of its network's subnets of the same IP version. */
interface ChosenPrefix {
  readonly cidr: Cidr;
  readonly pools: ReadonlyMap<string, LockedPool>;
}

/**
 * Determines the prefix of a new subnet of a locked network: from the request, or allocated from a pool. Throws NeutronError if the
 * pool does not allow it. `existing`: where the network's other subnets of the IP version come from.
 */
export async function choosePrefix(
  trx: Trx,
  core: Core,
  caller: Caller,
  values: SubnetCreate,
  { cidr, poolId }: PrefixSource,
  existing: readonly Origin[],
): Promise<ChosenPrefix> {
  const { ip_version: version } = values;
  if (poolId === undefined || poolId === PREFIX_DELEGATION) {
    if (!cidr) throw badSubnets('a subnetpool must be specified in the absence of a cidr');
    return { cidr, pools: new Map() };
  }
  await requireVisible(trx, caller, SUBNETPOOL, poolId);
  const pools = await lockPools(trx, core, [poolId, ...existing]);
  const pool = pools.get(poolId);
  if (!pool) throw neutronError('SubnetPoolNotFound', { id: poolId });
  if (pool.ip_version !== version)
    throw badSubnets(`Cannot allocate IPv${version} subnet from IPv${pool.ip_version} subnet pool`);
  const prefix = await allocatePrefix(trx, pool, {
    projectId: values.project_id,
    cidr,
    prefixLength: values.prefixlen,
    gateway: typeof values.gateway_ip === 'string' ? parseIp(values.gateway_ip) : undefined,
  });
  return { cidr: prefix, pools };
}
