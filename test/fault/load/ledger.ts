import type { ApiFacts } from '../agreement/facts.ts';

export type Kind = 'network' | 'subnet' | 'port';

/** Attributes that a resource must have; those that are not named may be anything. */
export type Wanted = Readonly<Record<string, unknown>>;

/** What may have become of a resource: gone (or never made), or there with these attributes. */
export type State = Wanted | 'absent';

interface Entry {
  readonly kind: Kind;
  /** More than one while the outcome of a request is not known. */
  readonly possible: readonly State[];
}

/**
 * What clients were told: for each resource, by its name, what must be true of it. A request that was answered decides; one
 * whose answer never came leaves what was and what was wanted as possible, until somebody looks.
 */
export class Ledger {
  readonly #entries = new Map<string, Entry>();
  /** Answers by status. */
  readonly #answers = new Map<string, number>();

  /** A request is answered with success: the resource is what it says. */
  answered(kind: Kind, name: string, state: State): void {
    this.#entries.set(name, { kind, possible: [state] });
  }

  /** No answer came, or one that does not tell (5xx): it may have been carried out or not. */
  unanswered(kind: Kind, name: string, wanted: State): void {
    const before = this.#entries.get(name)?.possible ?? ['absent'];
    this.#entries.set(name, { kind, possible: [...before, wanted] });
  }

  /** Whether it is not known what became of a resource. */
  isOpen(name: string): boolean {
    return (this.#entries.get(name)?.possible.length ?? 0) > 1;
  }

  /** Names of a network's subnets, those included of which it is not known whether they were made. */
  subnetsOf(networkId: string): readonly string[] {
    const isOf = (state: State) => state !== 'absent' && state.network_id === networkId;
    return [...this.#entries]
      .filter(([, { kind, possible }]) => kind === 'subnet' && possible.some(isOf))
      .map(([name]) => name);
  }

  count(answer: string): void {
    this.#answers.set(answer, (this.#answers.get(answer) ?? 0) + 1);
  }

  /** How often each answer came, for a line of text. */
  answers(): string {
    return [...this.#answers]
      .toSorted()
      .map(([answer, times]) => `${answer} ${times}`)
      .join(', ');
  }

  /** What an answer promised and the API does not keep, one sentence each. */
  undone(api: ApiFacts): readonly string[] {
    const byName = namesOf(api);
    return [...this.#entries].flatMap(([name, { kind, possible }]) => {
      const found = byName.get(name) ?? [];
      if (found.length > 1) return [`${kind} ${name} is there ${found.length} times`];
      const wrong = possible.map((state) => misfits(found[0], state));
      return wrong.every((sentences) => sentences.length > 0) ? [`${kind} ${name}: ${wrong.join('; or ')}`] : [];
    });
  }

  /** Takes what there is for what is wanted from now on, where it was open; gives the resources that are there. */
  settle(api: ApiFacts): ReadonlyMap<string, Resource> {
    const there = new Map<string, Resource>();
    const byName = namesOf(api);
    for (const [name, { kind, possible }] of this.#entries) {
      const found = byName.get(name)?.[0];
      if (found) there.set(name, found);
      if (possible.length > 1)
        this.#entries.set(name, { kind, possible: [found ? (found as unknown as Wanted) : 'absent'] });
    }
    // What is gone for good need not be looked for again and again.
    for (const [name, { possible }] of this.#entries)
      if (possible.every((state) => state === 'absent')) this.#entries.delete(name);
    return there;
  }
}

export type Resource = ApiFacts['networks'][number] | ApiFacts['subnets'][number] | ApiFacts['ports'][number];

function namesOf({ networks, subnets, ports }: ApiFacts): ReadonlyMap<string, readonly Resource[]> {
  const byName = new Map<string, Resource[]>();
  for (const one of [...networks, ...subnets, ...ports]) byName.set(one.name, [...(byName.get(one.name) ?? []), one]);
  return byName;
}

/**
 * What an answer promises for good. The rest of a resource changes by itself (a port's status) or with another resource (a
 * network's list of subnets).
 */
const PROMISED = [
  ...['id', 'name', 'description', 'project_id', 'admin_state_up', 'network_id', 'mtu', 'provider:segmentation_id'],
  ...['cidr', 'ip_version', 'gateway_ip', 'allocation_pools', 'enable_dhcp', 'dns_nameservers', 'ipv6_address_mode'],
  ...['mac_address', 'fixed_ips', 'device_id', 'device_owner', 'binding:host_id', 'extra_dhcp_opts', 'dns_name'],
];

/** In what a resource is not as wanted; none when it is. */
function misfits(found: Resource | undefined, state: State): readonly string[] {
  if (found === undefined) return state === 'absent' ? [] : ['it is gone'];
  if (state === 'absent') return ['it is there'];
  const has = found as unknown as Wanted;
  return PROMISED.filter((name) => name in state && canonical(has[name]) !== canonical(state[name])).map(
    (name) => `${name} is ${JSON.stringify(has[name])}, ${JSON.stringify(state[name])} was answered`,
  );
}

/** Lists of an API have no order. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).toSorted().join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined';
  const entries = Object.entries(value).map(([key, inner]) => `${key}:${canonical(inner)}`);
  return `{${entries.toSorted().join()}}`;
}
