import { createHash } from 'node:crypto';
import type { FilterRule } from '../../../../rpc/topics/security-groups.ts';

export type Direction = FilterRule['direction'];

/** Chains and sets of groups, all in the inet table. Names begin with a letter and must not be words of nft's language. */

export const groupChain = (group: string, direction: Direction): string => `inet neutrino sg-${group}-${direction}`;
export const remoteSet = (group: string, version: 4 | 6, kind: 'hosts' | 'prefixes'): string =>
  `inet neutrino rg-${group}-${kind}${version}`;

/** Returns the chain of the ports that have these groups. `stateful`: whether replies pass without a rule. */
export function combinationChain(groups: readonly string[], stateful: boolean, direction: Direction): string {
  const key = JSON.stringify([[...groups].sort(), stateful]);
  return `inet neutrino ports-${createHash('sha256').update(key).digest('hex').slice(0, 20)}-${direction}`;
}

/** Returns a name without its table, as rules refer to it. */
export const bare = (name: string): string => name.split(' ')[2] ?? '';
