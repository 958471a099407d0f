import type { Flows } from '../../../../linux/conntrack.ts';
import { protocolNumber } from '../../../../net/protocols.ts';
import { bare } from './names.ts';
import type { Ports } from './ports.ts';
import type { Removed, Ruleset } from './ruleset.ts';

/** Beyond this many, whole zones are forgotten instead of single addresses. */
const MAX_FLOWS = 2_000;

const REMOTE_HOST = /^inet neutrino rg-.*-hosts[46]$/;
const GROUP = /^inet neutrino sg-.*-(ingress|egress)$/;
/** Returns the protocol of a rule of a group; undefined: all. */
function protocolOf(rule: string): number | undefined {
  const number = /meta l4proto (\d+)/.exec(rule)?.[1];
  if (number !== undefined) return Number(number);
  const name = /\b(tcp|udp|sctp|dccp|udplite) dport|\b(icmp|icmpv6) type/.exec(rule);
  return protocolNumber(name?.[1] ?? name?.[2] ?? '');
}

const versionOf = (address: string): 4 | 6 => (address.includes(':') ? 6 : 4);

/** Returns the flows that begin or end at addresses. */
export const flowsAt = (zone: number, addresses: Iterable<string>): readonly Flows[] =>
  [...addresses].flatMap((address) => {
    const of = { zone, version: versionOf(address) };
    return [
      { ...of, source: address },
      { ...of, destination: address },
    ];
  });

/** Returns the chains from which rules reach a chain or set. */
function reaching({ chains }: Ruleset, name: string): ReadonlySet<string> {
  const found = new Set([bare(name)]);
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const [chain, { references }] of chains)
      if ([...references].some((reference) => found.has(reference))) found.add(bare(chain));
  }
  return found;
}

/**
 * Returns the flows that rules or members which are gone may have let begin. Flows that other rules allow begin again with their next
 * packet. A rule that came back in other words is taken for gone.
 */
export function flowsToCut(removed: Removed, ruleset: Ruleset, ports: Ports): readonly Flows[] {
  const flows: Flows[] = [];
  for (const [name, rules] of removed.rules) {
    const direction = GROUP.exec(name)?.[1];
    if (direction === undefined) continue;
    const affected = ports.using(reaching(ruleset, name));
    const protocols = new Set(rules.map(protocolOf));
    for (const { zone, addresses } of affected)
      for (const address of addresses)
        for (const protocol of protocols.has(undefined) ? [undefined] : protocols)
          flows.push({
            zone,
            version: versionOf(address),
            ...(direction === 'ingress' ? { destination: address } : { source: address }),
            ...(protocol === undefined ? {} : { protocol }),
          });
  }
  for (const [name, members] of removed.elements) {
    if (!REMOTE_HOST.test(name)) continue;
    const zones = new Set(ports.using(reaching(ruleset, name)).map(({ zone }) => zone));
    for (const zone of zones) for (const flow of flowsAt(zone, members)) flows.push(flow);
  }
  return bounded(flows);
}

function bounded(flows: readonly Flows[]): readonly Flows[] {
  if (flows.length <= MAX_FLOWS) return flows;
  const zones = new Set(flows.map(({ zone }) => zone));
  return [...zones].flatMap((zone) => ([4, 6] as const).map((version) => ({ zone, version })));
}
