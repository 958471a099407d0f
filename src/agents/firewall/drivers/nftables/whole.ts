import { bare } from './names.ts';
import { elementCommands, type Ruleset } from './ruleset.ts';
import { BRIDGE_TABLE, INET_TABLE, SETS, SKELETON_RULES, skeletonScript } from './skeleton.ts';

const REPLACE = [BRIDGE_TABLE, INET_TABLE]
  .flatMap((table) => [`add table ${table}`, `delete table ${table}`])
  .join('\n');

/** Returns the script that makes both tables anew, empty. */
export const emptyScript = (): string => `${REPLACE}\n${skeletonScript()}`;

/** Whether a ruleset has the skeleton, with as many rules as it should. */
export const isSound = ({ sets, chains }: Ruleset): boolean =>
  Object.keys(SETS).every((name) => sets.has(name)) &&
  [...SKELETON_RULES].every(([name, count]) => chains.get(name)?.count === count);

/** Whether two rulesets are the same. */
export function isEqual(a: Ruleset, b: Ruleset): boolean {
  if (a.sets.size !== b.sets.size || a.chains.size !== b.chains.size) return false;
  for (const [name, elements] of a.sets) {
    const other = b.sets.get(name);
    if (other?.size !== elements.size || [...elements].some((element) => !other.has(element))) return false;
  }
  for (const [name, chain] of a.chains) {
    const other = b.chains.get(name);
    if (other?.hash !== chain.hash || other?.count !== chain.count) return false;
  }
  return true;
}

/** Returns the script that replaces both tables by a ruleset, in one transaction. */
export function rebuildScript({ sets, chains, types }: Ruleset): string {
  const lines = [emptyScript()];
  for (const [name, type] of types) lines.push(`add set ${name} ${type}`);
  const own = [...chains].filter(([name]) => !SKELETON_RULES.has(name));
  for (const [name] of own) lines.push(`add chain ${name}`);
  for (const [name, { rules }] of own) lines.push(...rules.map((rule) => `add rule ${name} ${rule}`));
  return `${[...lines, ...elementCommands('add', sets)].join('\n')}\n`;
}

/** Returns the chains and sets that no port needs any more, what refers to others first. */
export function unused({ sets, chains, types }: Ruleset): {
  readonly chains: readonly string[];
  readonly sets: readonly string[];
} {
  const needed = new Set<string>();
  for (const map of ['inet neutrino from_ports', 'inet neutrino to_ports'])
    for (const element of sets.get(map) ?? []) needed.add(element.split('jump ')[1] ?? '');
  const own = [...chains].filter(([name]) => !SKELETON_RULES.has(name));
  // Chains of combinations refer to those of groups, and these to sets.
  for (let found = -1; found !== needed.size; ) {
    found = needed.size;
    for (const [name, { references }] of own)
      if (needed.has(bare(name))) for (const reference of references) needed.add(reference);
  }
  const idle = own.filter(([name]) => !needed.has(bare(name)));
  const combinationsFirst = idle.sort(([a], [b]) => Number(b.includes(' ports-')) - Number(a.includes(' ports-')));
  return {
    chains: combinationsFirst.map(([name]) => name),
    sets: [...types.keys()].filter((name) => !needed.has(bare(name))),
  };
}
