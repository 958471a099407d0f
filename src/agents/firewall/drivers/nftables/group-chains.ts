import type { SecurityGroup } from '../../groups.ts';
import { bare, combinationChain, type Direction, groupChain } from './names.ts';
import { ruleText, UnknownRule } from './rule-text.ts';

const DIRECTIONS: readonly Direction[] = ['ingress', 'egress'];

/** What a port needs besides its rules to get an address and to find its neighbours. */
const ALWAYS: Readonly<Record<Direction, readonly string[]>> = {
  ingress: [
    'icmpv6 type { mld-listener-query, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept',
    'meta nfproto ipv4 udp sport 67 udp dport 68 accept',
    'meta nfproto ipv6 udp sport 547 udp dport 546 accept',
  ],
  egress: [
    'icmpv6 type { mld-listener-report, mld-listener-done, mld2-listener-report, nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert } accept',
    'meta nfproto ipv4 udp sport 68 udp dport 67 accept',
    'meta nfproto ipv6 udp sport 546 udp dport 547 accept',
  ],
};
const REPLIES = ['ct state established,related accept', 'ct state invalid counter drop'];

/** Returns the rules of the chain of the ports with these groups. */
function combinationRules(groups: readonly string[], stateful: boolean, direction: Direction): readonly string[] {
  return [
    ...ALWAYS[direction],
    ...(stateful ? REPLIES : []),
    ...[...groups].sort().map((id) => `jump ${bare(groupChain(id, direction))}`),
    'counter drop',
  ];
}

/** Returns the chains of a combination of groups: rules by name. */
export const combinationChains = (
  groups: readonly string[],
  stateful: boolean,
): ReadonlyMap<string, readonly string[]> =>
  new Map(
    DIRECTIONS.map((direction) => [
      combinationChain(groups, stateful, direction),
      combinationRules(groups, stateful, direction),
    ]),
  );

/** The chains of a group, and the rules that it has in vain. */
export interface GroupChains {
  readonly chains: ReadonlyMap<string, readonly string[]>;
  readonly unknown: readonly string[];
}

/** Returns the chains of a group. Rules that cannot be represented allow nothing. */
export function groupChains({ id, rules }: SecurityGroup): GroupChains {
  const unknown: string[] = [];
  const chains = new Map<string, string[]>(DIRECTIONS.map((direction) => [groupChain(id, direction), []]));
  for (const rule of rules) {
    try {
      const texts = ruleText(rule);
      chains.get(groupChain(id, rule.direction))?.push(...texts);
    } catch (error) {
      if (!(error instanceof UnknownRule)) throw error;
      unknown.push(error.message);
    }
  }
  for (const [name, texts] of chains) chains.set(name, [...new Set(texts)].sort());
  return { chains, unknown };
}
