import { setTimeout as pause } from 'node:timers/promises';
import type { Chance } from '../chance.ts';
import { type Answer, ask } from './ask.ts';
import type { Kind, Ledger, Resource, State, Wanted } from './ledger.ts';

/** A network on which all clients create ports, and which is never changed. */
export interface SharedNetwork {
  readonly id: string;
  /** Its IPv4 subnet, and the first three numbers of its addresses: `10.9.8` of a /24. */
  readonly subnetId: string;
  readonly prefix: string;
}

export interface ClientOptions {
  /** Prefix of the names of all resources that it creates. */
  readonly name: string;
  readonly chance: Chance;
  readonly ledger: Ledger;
  /** API servers; each request is sent to one of them. */
  readonly urls: readonly string[];
  /** Hosts to which ports are bound. */
  readonly hosts: readonly string[];
  readonly shared: readonly SharedNetwork[];
  /** Whether 5xx responses are acceptable, because a component may be down. */
  readonly mayFail: (status: number) => boolean;
}

const MAX_NETWORKS = 2;
const MAX_SUBNETS = 2;
const MAX_PORTS = 24;
/** Maximum number of recorded unacceptable responses. */
const MAX_SURPRISES = 5;
/** Milliseconds until a server that does not listen is tried again. */
const AGAIN_MS = 20;
/** Conflicts that occur by chance: an address or resource is in use. */
const CONFLICTS = [
  'IpAddressAlreadyAllocated',
  'IpAddressInUse',
  'NetworkInUse',
  'SubnetInUse',
  'IpAddressGenerationFailure',
  'OverlappingAllocationPools',
];

type Document = Resource & { readonly id: string };

/**
 * A client of the API that creates, updates and deletes networks, subnets and ports at random, one request after the other. It
 * only uses its own resources; the ledger records its responses.
 */
export class Client {
  readonly #options: ClientOptions;
  /** Resources that certainly exist, by name. */
  #own = new Map<string, { readonly kind: Kind; readonly document: Document }>();
  #made = 0;
  /** Name of the network that is being emptied before its deletion. */
  #retiring: string | undefined;
  /** Responses that a client must not get, whatever fails. */
  readonly surprises: string[] = [];

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** Takes over what exists, which settles all unknown outcomes. */
  settle(there: ReadonlyMap<string, Resource>): void {
    const mine = [...there].filter(([name]) => name.startsWith(`${this.#options.name}-`));
    this.#own = new Map(mine.map(([name, document]) => [name, { kind: kindOf(document), document }]));
  }

  /** Runs until it is stopped, and then completes the current request. */
  async run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) if (!(await this.#step())) await pause(AGAIN_MS);
  }

  /** Sends one request; returns false if no server listened. */
  #step(): Promise<boolean> {
    const { chance } = this.#options;
    const networks = this.#all('network');
    const subnets = this.#all('subnet');
    const ports = this.#all('port');
    const luck = chance.real() * 100;
    if (luck < 2 && networks.length >= MAX_NETWORKS) this.#retiring ??= chance.of(networks).name;
    if (luck < 4 && networks.length < MAX_NETWORKS) return this.#make('network', { admin_state_up: true });
    const retired = networks.find(({ name }) => name === this.#retiring);
    if (retired && luck < 60) return this.#retire(retired, ports);
    if (luck < 10 && networks.length > 0) return this.#makeOrDropSubnet(chance.of(networks), subnets);
    if (luck < 14 && networks.length > 0) return this.#changeNetwork(chance.of(networks));
    if (luck < 20 && subnets.length > 0) return this.#changeSubnet(chance.of(subnets));
    if (luck < 40 && ports.length > 0) return this.#changePort(chance.of(ports));
    if (ports.length > 0 && (luck < 60 || ports.length >= MAX_PORTS)) return this.#remove('port', chance.of(ports));
    return this.#makePort(networks);
  }

  #all(kind: Kind): readonly Document[] {
    return [...this.#own.values()].filter((one) => one.kind === kind).map((one) => one.document);
  }

  /** One step towards the deletion of a network: its ports, then itself with its subnets. */
  async #retire(network: Document, ports: readonly Document[]): Promise<boolean> {
    const port = ports.find((one) => 'network_id' in one && one.network_id === network.id);
    if (port) return this.#remove('port', port);
    this.#retiring = undefined;
    return this.#remove('network', network);
  }

  #makeOrDropSubnet(network: Document, subnets: readonly Document[]): Promise<boolean> {
    const { chance } = this.#options;
    const there = subnets.filter((subnet) => 'network_id' in subnet && subnet.network_id === network.id);
    if (there.length >= MAX_SUBNETS) return this.#remove('subnet', chance.of(there));
    const number = chance.whole(0, 60_000);
    const [high, low] = [number >> 8, number & 0xff];
    const stateful = { ipv6_address_mode: 'dhcpv6-stateful', ipv6_ra_mode: 'dhcpv6-stateful' };
    return this.#make('subnet', {
      network_id: network.id,
      ...(chance.real() < 0.75
        ? { ip_version: 4, cidr: `10.${high}.${low}.0/24` }
        : { ip_version: 6, cidr: `fd00:${number.toString(16)}::/64`, ...stateful }),
    });
  }

  #makePort(networks: readonly Document[]): Promise<boolean> {
    const { chance, hosts, shared } = this.#options;
    const common = chance.of(shared);
    const own = networks.length > 0 && chance.real() < 0.6 ? chance.of(networks) : undefined;
    const address = { subnet_id: common.subnetId, ip_address: `${common.prefix}.${chance.whole(2, 254)}` };
    return this.#make('port', {
      network_id: own?.id ?? common.id,
      device_id: `device-${chance.whole(1, 1_000_000)}`,
      ...(own === undefined && chance.real() < 0.2 ? { fixed_ips: [address] } : {}),
      ...(chance.real() < 0.5 ? { 'binding:host_id': chance.of(hosts), device_owner: 'compute:nova' } : {}),
      ...(chance.real() < 0.2 ? { extra_dhcp_opts: [{ opt_name: 'tftp-server', opt_value: '10.0.0.1' }] } : {}),
    });
  }

  #changeNetwork(network: Document): Promise<boolean> {
    const up = 'admin_state_up' in network && network.admin_state_up;
    const change = this.#options.chance.real() < 0.4 ? { admin_state_up: !up } : this.#otherDescription();
    return this.#change('network', network, change);
  }

  #changeSubnet(subnet: Document): Promise<boolean> {
    const { chance } = this.#options;
    const luck = chance.real();
    const enabled = 'enable_dhcp' in subnet && subnet.enable_dhcp;
    const ipv6 = 'ip_version' in subnet && subnet.ip_version === 6;
    const dns = ipv6 ? 'fd00::' : '10.0.0.';
    if (luck < 0.4 && !ipv6) return this.#change('subnet', subnet, { enable_dhcp: !enabled });
    if (luck < 0.7) return this.#change('subnet', subnet, { dns_nameservers: [`${dns}${chance.whole(1, 99)}`] });
    return this.#change('subnet', subnet, this.#otherDescription());
  }

  #changePort(port: Document): Promise<boolean> {
    const { chance } = this.#options;
    const luck = chance.real();
    const [first] = 'fixed_ips' in port ? port.fixed_ips : [];
    // A different address of its subnet, or none.
    if (luck < 0.3 && first) return this.#change('port', port, { fixed_ips: [{ subnet_id: first.subnet_id }] });
    if (luck < 0.35) return this.#change('port', port, { fixed_ips: [] });
    if (luck < 0.5) {
      const options = [{ opt_name: 'bootfile-name', opt_value: `boot-${chance.whole(1, 99)}` }];
      return this.#change('port', port, { extra_dhcp_opts: options });
    }
    if (luck < 0.6) return this.#change('port', port, { dns_name: `name-${chance.whole(1, 1_000_000)}` });
    return this.#change('port', port, this.#otherDescription());
  }

  #otherDescription(): Wanted {
    return { description: `described ${this.#options.chance.whole(1, 1_000_000)}` };
  }

  async #make(kind: Kind, values: Wanted): Promise<boolean> {
    this.#made += 1;
    const name = `${this.#options.name}-${this.#made}`;
    const wanted = { ...values, name, description: `of ${this.#options.name}` };
    const answer = await this.#ask(kind, 'POST', `${kind}s`, { [kind]: wanted });
    return this.#note(kind, name, answer, { ...firm(wanted) });
  }

  async #change(kind: Kind, document: Document, change: Wanted): Promise<boolean> {
    const answer = await this.#ask(kind, 'PUT', `${kind}s/${document.id}`, { [kind]: change });
    const { dns_assignment: _names, ...rest } = document as unknown as Record<string, unknown>;
    return this.#note(kind, document.name, answer, firm({ ...rest, ...change }));
  }

  async #remove(kind: Kind, document: Document): Promise<boolean> {
    const answer = await this.#ask(kind, 'DELETE', `${kind}s/${document.id}`);
    // Its subnets are deleted with it, including those whose outcome is unknown.
    if (kind === 'network')
      for (const name of this.#options.ledger.subnetsOf(document.id)) this.#note('subnet', name, answer, 'absent');
    return this.#note(kind, document.name, answer, 'absent');
  }

  async #ask(kind: Kind, method: string, path: string, body?: Wanted): Promise<Answer> {
    const { chance, urls, ledger } = this.#options;
    const answer = await ask(chance.of(urls), method, path, body);
    ledger.count(`${method} ${kind} ${answer.status ?? (answer.delivered ? 'cut off' : 'refused')}`);
    const { status } = answer;
    if (status === undefined || status < 400 || this.#mayBe(answer)) return answer;
    if (this.surprises.length < MAX_SURPRISES)
      this.surprises.push(
        `${this.#options.name}, with subnets ${this.#all('subnet').map((one) => ('cidr' in one ? `${one.cidr} of ${one.network_id}` : ''))}: ` +
          `${method} ${path} ${JSON.stringify(body ?? {})}: ${status} ${JSON.stringify(answer.body)}`,
      );
    return answer;
  }

  #mayBe(answer: Answer & { readonly status: number }): boolean {
    if (answer.status >= 500) return this.#options.mayFail(answer.status);
    const { type = '' } = (answer.body.NeutronError ?? {}) as { readonly type?: string };
    return answer.status === 409 && CONFLICTS.includes(type);
  }

  #note(kind: Kind, name: string, answer: Answer, wanted: State): boolean {
    const { ledger } = this.#options;
    if (isOpen(answer)) {
      ledger.unanswered(kind, name, wanted);
      this.#own.delete(name);
    } else if (answer.status !== undefined && answer.status < 300) {
      const document = answer.body[kind] as (Document & Wanted) | undefined;
      ledger.answered(kind, name, document ?? 'absent');
      if (document) this.#own.set(name, { kind, document });
      else this.#own.delete(name);
    }
    return answer.status !== undefined || answer.delivered;
  }
}

/** Returns whether the response leaves the outcome of the request open. */
const isOpen = (answer: Answer): boolean => (answer.status === undefined ? answer.delivered : answer.status >= 500);

const kindOf = (document: Resource): Kind =>
  'fixed_ips' in document ? 'port' : 'cidr' in document ? 'subnet' : 'network';

/** Returns the certain attributes of a resource without a response, which excludes those that the server adds. */
function firm(wanted: Wanted): Wanted {
  const { fixed_ips: _ips, extra_dhcp_opts: _options, dns_assignment: _names, ...rest } = wanted;
  return rest;
}
