import type { ApiFacts } from '../agreement/facts.ts';

export type Kind = 'network' | 'subnet' | 'port';

/** Attributes that a resource must have; others can have any value. */
export type Wanted = Readonly<Record<string, unknown>>;

/** A possible state of a resource: it does not exist, or it has these attributes. */
export type State = Wanted | 'absent';

interface Entry {
  readonly kind: Kind;
  /** Several while the outcome of a request is unknown. */
  readonly possible: readonly State[];
}

/**
 * The responses to clients: for each resource, by name, its required state. A response decides; without a response, both the old
 * and the requested state are possible until the resource is read.
 */
export class Ledger {
  readonly #entries = new Map<string, Entry>();
  /** Number of responses by status. */
  readonly #answers = new Map<string, number>();

  /** Records a successful response, which determines the resource. */
  answered(kind: Kind, name: string, state: State): void {
    this.#entries.set(name, { kind, possible: [state] });
  }

  /** Records a missing or inconclusive response (5xx): the request was either carried out or not. */
  unanswered(kind: Kind, name: string, wanted: State): void {
    const before = this.#entries.get(name)?.possible ?? ['absent'];
    this.#entries.set(name, { kind, possible: [...before, wanted] });
  }

  /** Returns whether the state of a resource is unknown. */
  isOpen(name: string): boolean {
    return (this.#entries.get(name)?.possible.length ?? 0) > 1;
  }

  /** Returns the names of a network's subnets, including those that may not exist. */
  subnetsOf(networkId: string): readonly string[] {
    const isOf = (state: State) => state !== 'absent' && state.network_id === networkId;
    return [...this.#entries]
      .filter(([, { kind, possible }]) => kind === 'subnet' && possible.some(isOf))
      .map(([name]) => name);
  }

  count(answer: string): void {
    this.#answers.set(answer, (this.#answers.get(answer) ?? 0) + 1);
  }

  /** Returns the number of responses by status, as text. */
  answers(): string {
    return [...this.#answers]
      .toSorted()
      .map(([answer, times]) => `${answer} ${times}`)
      .join(', ');
  }

  /** Returns a sentence for each deviation of the API from a response. */
  undone(api: ApiFacts): readonly string[] {
    const byName = namesOf(api);
    return [...this.#entries].flatMap(([name, { kind, possible }]) => {
      const found = byName.get(name) ?? [];
      if (found.length > 1) return [`${kind} ${name} is there ${found.length} times`];
      const wrong = possible.map((state) => misfits(found[0], state));
      return wrong.every((sentences) => sentences.length > 0) ? [`${kind} ${name}: ${wrong.join('; or ')}`] : [];
    });
  }

  /** Takes over the actual state of resources whose state was unknown; returns the existing resources. */
  settle(api: ApiFacts): ReadonlyMap<string, Resource> {
    const there = new Map<string, Resource>();
    const byName = namesOf(api);
    for (const [name, { kind, possible }] of this.#entries) {
      const found = byName.get(name)?.[0];
      if (found) there.set(name, found);
      if (possible.length > 1)
        this.#entries.set(name, { kind, possible: [found ? (found as unknown as Wanted) : 'absent'] });
    }
    // Resources that are certainly deleted need not be checked again.
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
 * Returns the attributes in a response that remain valid. Others change by themselves (a port's status) or with another resource
 * (a network's list of subnets).
 */
const PROMISED = [
  ...['id', 'name', 'description', 'project_id', 'admin_state_up', 'network_id', 'mtu', 'provider:segmentation_id'],
  ...['cidr', 'ip_version', 'gateway_ip', 'allocation_pools', 'enable_dhcp', 'dns_nameservers', 'ipv6_address_mode'],
  ...['mac_address', 'fixed_ips', 'device_id', 'device_owner', 'binding:host_id', 'extra_dhcp_opts', 'dns_name'],
];

/** Returns the differences between a resource and its required state. */
function misfits(found: Resource | undefined, state: State): readonly string[] {
  if (found === undefined) return state === 'absent' ? [] : ['it is gone'];
  if (state === 'absent') return ['it is there'];
  const has = found as unknown as Wanted;
  return PROMISED.filter((name) => name in state && canonical(has[name]) !== canonical(state[name])).map(
    (name) => `${name} is ${JSON.stringify(has[name])}, ${JSON.stringify(state[name])} was answered`,
  );
}

/** Sorts lists, whose order is undefined in the API. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).toSorted().join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined';
  const entries = Object.entries(value).map(([key, inner]) => `${key}:${canonical(inner)}`);
  return `{${entries.toSorted().join()}}`;
}
