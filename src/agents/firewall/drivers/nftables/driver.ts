import type { Logger } from 'pino';
import { type Flows, forgetFlows } from '../../../../linux/conntrack.ts';
import type { InNamespace } from '../../../../linux/ip.ts';
import { type Nftables, NftFailed } from '../../../../linux/nftables/contract.ts';
import { openNftables } from '../../../../linux/nftables/open.ts';
import type { Firewall } from '../../contract.ts';
import type { FilterChange, FilteredPort } from '../../groups.ts';
import { flowsAt, flowsToCut } from './cuts.ts';
import { combinationChains, groupChains } from './group-chains.ts';
import { Ports } from './ports.ts';
import { remoteSets } from './remote-sets.ts';
import { Change, emptyRuleset, type Ruleset, readTable } from './ruleset.ts';
import { BRIDGE_TABLE, INET_TABLE } from './skeleton.ts';
import { emptyScript, isEqual, isSound, rebuildScript, unused } from './whole.ts';

interface Parts {
  readonly where: InNamespace;
  readonly log: Logger;
  /** Opens nftables; default: by its library, or by its program. */
  readonly open?: (where: InNamespace, log: Logger) => Promise<Nftables>;
}

/**
 * Filters by nftables. It remembers what the tables contain, those of an earlier process included, and each call changes only what
 * differs, in one transaction.
 */
export class NftablesFirewall implements Firewall {
  readonly bridgeOptions = ['nf_call_iptables', '1', 'nf_call_ip6tables', '1'];
  readonly filters = true;
  readonly #parts: Parts;
  #nft: Nftables | undefined;
  #ruleset: Ruleset = emptyRuleset();
  #ports = new Ports(this.#ruleset);
  /** Whether `#ruleset` is what the kernel has. */
  #isKnown = false;
  /** Flows to forget, and the process that does it. */
  readonly #flows: Flows[] = [];
  #cutting: Promise<void> | undefined;
  /** Rules and members that cannot be represented, and were logged. */
  readonly #logged = new Set<string>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async hold(change: FilterChange): Promise<ReadonlyMap<string, Error>> {
    const { ports = [] } = change;
    const failed = new Map<string, Error>();
    const all = await this.#attempt(change, failed);
    if (!all) return failed;
    // One of them is the reason: the others must not suffer from it.
    const rest = ports.filter(({ device }) => !failed.has(device));
    // What rules name must exist before them.
    for (const remote of change.remotes ?? [])
      await this.#alone(
        { remotes: [remote] },
        { remotes: [{ ...remote, members: [] }] },
        `members of group ${remote.id}`,
      );
    for (const group of change.groups ?? [])
      await this.#alone({ groups: [group] }, { groups: [{ ...group, rules: [] }] }, `rules of group ${group.id}`);
    for (const port of rest) {
      const error = await this.#attempt({ ports: [port] }, failed);
      if (error) failed.set(port.device, error);
    }
    return failed;
  }

  async remove(devices: readonly string[]): Promise<void> {
    await this.#know();
    const change = new Change(this.#ruleset);
    const known = devices.flatMap((device) => this.#ports.flowsOf(device));
    const flows = known.flatMap(({ zone, addresses }) => flowsAt(zone, addresses));
    const ports = devices.map((device) => this.#ports.remove(change, device));
    await this.#run(change);
    for (const done of ports) done();
    this.#cut(flows);
  }

  async check(): Promise<boolean> {
    if (!this.#isKnown) {
      await this.#know();
      return false;
    }
    const actual = await this.#read();
    const isRight = isSound(actual) && isEqual(actual, this.#ruleset);
    if (!isRight) {
      this.#parts.log.warn('the filters of ports were changed by something else; they are written again');
      await (await this.#open()).apply(rebuildScript(this.#ruleset));
    }
    const change = new Change(this.#ruleset);
    const { chains, sets } = unused(this.#ruleset);
    for (const name of chains) change.dropChain(name);
    for (const name of sets) change.dropSet(name);
    await this.#run(change);
    return !isRight;
  }

  async close(): Promise<void> {
    await this.#cutting;
    await this.#nft?.close();
    this.#nft = undefined;
    this.#isKnown = false;
  }

  /** Makes a change, but for ports that are invalid, which `failed` gets; returns why it failed as a whole. */
  async #attempt(change: FilterChange, failed: Map<string, Error>): Promise<Error | undefined> {
    try {
      await this.#know();
      const made = new Change(this.#ruleset);
      const done: (() => void)[] = [];
      this.#groups(made, change);
      for (const port of change.ports ?? []) this.#port(made, port, done, failed);
      await this.#run(made);
      for (const one of done) one();
      this.#cut(flowsToCut(made.removed, this.#ruleset, this.#ports));
      return undefined;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      return error;
    }
  }

  /** Makes a change; `nothing` takes its place if it fails. */
  async #alone(change: FilterChange, nothing: FilterChange, what: string): Promise<void> {
    const error = await this.#attempt(change, new Map());
    if (!error) return;
    this.#parts.log.error({ reason: error.message }, `the ${what} cannot be set; they allow nothing`);
    await this.#attempt(nothing, new Map());
  }

  #groups(change: Change, { groups = [], remotes = [] }: FilterChange): void {
    for (const remote of remotes) {
      const { sets, unknown } = remoteSets(remote);
      for (const { name, type, elements } of sets) {
        change.set(name, type);
        change.elements(name, elements, this.#ruleset.sets.get(name) ?? []);
      }
      this.#logUnknown(`member of group ${remote.id}`, unknown);
    }
    for (const group of groups) {
      const { chains, unknown } = groupChains(group);
      for (const [name, rules] of chains) change.chain(name, rules);
      this.#logUnknown(`rule of group ${group.id}`, unknown);
    }
  }

  #port(change: Change, port: FilteredPort, done: (() => void)[], failed: Map<string, Error>): void {
    const { device, security_groups: groups, stateful = true } = port;
    try {
      if (groups === undefined) {
        done.push(this.#ports.remove(change, device));
        return;
      }
      done.push(this.#ports.put(change, port));
      for (const [name, rules] of combinationChains(groups, stateful)) change.chain(name, rules);
    } catch (error) {
      failed.set(device, error instanceof Error ? error : new Error(String(error)));
    }
  }

  #logUnknown(what: string, unknown: readonly string[]): void {
    for (const one of unknown) {
      const text = `${what}: ${one}`;
      if (this.#logged.has(text)) continue;
      if (this.#logged.size < 1_000) this.#logged.add(text);
      this.#parts.log.warn(`${text} cannot be represented; it allows nothing`);
    }
  }

  /** Has flows forgotten, which then pass only if a rule allows them. A new filter does not wait for that. */
  #cut(flows: readonly Flows[]): void {
    if (flows.length === 0) return;
    this.#flows.push(...flows);
    this.#cutting ??= this.#cutAll().finally(() => {
      this.#cutting = undefined;
    });
  }

  /** Where it fails, established flows go on, and the log says so. */
  async #cutAll(): Promise<void> {
    while (this.#flows.length > 0) {
      try {
        await forgetFlows(this.#flows.splice(0), this.#parts.where);
      } catch (error) {
        const { message: reason } = error as Error;
        this.#parts.log.error({ reason }, 'flows that rules no longer allow go on: conntrack cannot forget them');
      }
    }
  }

  async #run(change: Change): Promise<void> {
    if (change.isEmpty) return;
    const nft = await this.#open();
    try {
      await nft.apply(change.script());
      change.commit();
    } catch (error) {
      // Something else may have changed the tables: what they contain is read again.
      if (error instanceof NftFailed) this.#isKnown = false;
      throw error;
    }
  }

  /** Reads what the tables contain, and creates them if they are not there. */
  async #know(): Promise<void> {
    if (this.#isKnown) return;
    let ruleset = await this.#read();
    if (!isSound(ruleset)) {
      const nft = await this.#open();
      await nft.apply(emptyScript());
      ruleset = await this.#read();
    }
    this.#ruleset = ruleset;
    this.#ports = new Ports(ruleset);
    this.#isKnown = true;
  }

  async #read(): Promise<Ruleset> {
    const nft = await this.#open();
    const ruleset = emptyRuleset();
    for (const table of [BRIDGE_TABLE, INET_TABLE]) readTable((await nft.list(table)) ?? '', ruleset);
    return ruleset;
  }

  async #open(): Promise<Nftables> {
    const { open = openNftables, where, log } = this.#parts;
    this.#nft ??= await open(where, log);
    return this.#nft;
  }
}
