import type { FilteredPort } from '../../groups.ts';
import { InvalidPort, portElements } from './port-elements.ts';
import type { Change, Ruleset } from './ruleset.ts';
import { MAX_PORT, type SetName } from './skeleton.ts';

const ZONES = 'inet neutrino zones';
const MARKS = 'bridge neutrino marks_from';
/** Above those that others number from 1 up. */
const FIRST_ZONE = 8_192;
const MAX_ZONE = 65_535;
/** Sets whose elements begin with the device. */
const BY_DEVICE: readonly SetName[] = [
  'bridge neutrino ports',
  'bridge neutrino marks_from',
  'bridge neutrino marks_to',
  'bridge neutrino macs',
  'bridge neutrino pairs4',
  'bridge neutrino prefixes4',
  'bridge neutrino pairs6',
  'bridge neutrino prefixes6',
  'bridge neutrino chaddrs',
  'bridge neutrino targets6',
];
/** Maps whose keys are marks of ports. */
const BY_MARK = { 'inet neutrino from_ports': 'fromSeen', 'inet neutrino to_ports': 'toSeen' } as const;

type Elements = ReadonlyMap<string, readonly string[]>;

/** Where the flows of a port are, and which addresses they have. */
interface PortFlows {
  readonly zone: number;
  readonly addresses: readonly string[];
}

/** Which elements of a ruleset belong to which port, and the numbers of ports and zones. */
export class Ports {
  readonly #numbers = new Map<string, number>();
  readonly #taken = new Set<number>();
  readonly #zones = new Map<string, number>();
  readonly #elements = new Map<string, Elements>();
  readonly #bridges = new Map<string, string>();
  #nextPort = 1;
  #nextZone = FIRST_ZONE;

  constructor({ sets }: Ruleset) {
    for (const element of sets.get(MARKS) ?? []) {
      const [device = '', mark = ''] = unquoted(element).split(' : ');
      const number = Number(mark) & MAX_PORT;
      this.#numbers.set(device, number);
      this.#taken.add(number);
    }
    for (const element of sets.get(ZONES) ?? []) {
      const [bridge = '', zone = ''] = unquoted(element).split(' : ');
      this.#zones.set(bridge, Number(zone));
    }
    const found = new Map<string, Map<string, string[]>>();
    const note = (device: string, set: string, element: string) => {
      const own = found.get(device) ?? new Map<string, string[]>();
      own.set(set, [...(own.get(set) ?? []), element]);
      found.set(device, own);
    };
    for (const set of BY_DEVICE)
      for (const element of sets.get(set) ?? []) note(unquoted(element).split(/ [.:] /)[0] ?? '', set, element);
    const byNumber = new Map([...this.#numbers].map(([device, number]) => [number, device]));
    for (const set of Object.keys(BY_MARK))
      for (const element of sets.get(set) ?? []) {
        const device = byNumber.get(Number(element.split(' : ')[0]) & MAX_PORT);
        if (device !== undefined) note(device, set, element);
      }
    for (const [device, elements] of found) this.#elements.set(device, elements);
  }

  /** Returns the ports that use one of these chains: their zone and addresses. */
  using(chains: ReadonlySet<string>): readonly PortFlows[] {
    return [...this.#elements.keys()].flatMap((device) => {
      const [verdict = ''] = this.#elements.get(device)?.get('inet neutrino to_ports') ?? [];
      const name = verdict.split('jump ')[1]?.replace(/-ingress$/, '') ?? '';
      return chains.has(`${name}-ingress`) || chains.has(`${name}-egress`) ? this.flowsOf(device) : [];
    });
  }

  /** Returns the zone and addresses of a port; nothing as long as it is not known on which bridge it is. */
  flowsOf(device: string): readonly PortFlows[] {
    const zone = this.#zones.get(this.#bridges.get(device) ?? '');
    const elements = this.#elements.get(device);
    if (zone === undefined || !elements) return [];
    const pairs = [
      ...(elements.get('bridge neutrino pairs4') ?? []),
      ...(elements.get('bridge neutrino pairs6') ?? []),
    ];
    return [{ zone, addresses: pairs.flatMap((pair) => pair.split(' . ')[2] ?? []) }];
  }

  /** Changes the elements of a port to the wanted ones; the result MUST be called once the change is made. Throws InvalidPort. */
  put(change: Change, port: FilteredPort): () => void {
    const { device, bridge, stateful = true } = port;
    const elements = portElements(port, { number: this.#numberOf(device), stateful });
    const zone = this.#zone(bridge);
    const before = this.#elements.get(device);
    for (const [set, wanted] of elements) change.elements(set, wanted, before?.get(set) ?? []);
    change.elements(ZONES, [`"${bridge}" : ${zone}`], []);
    return () => {
      this.#elements.set(device, elements);
      this.#bridges.set(device, bridge);
    };
  }

  /** Removes all elements of a port; as `put`. */
  remove(change: Change, device: string): () => void {
    const before = this.#elements.get(device);
    for (const [set, elements] of before ?? []) change.elements(set, [], elements);
    return () => {
      this.#elements.delete(device);
      this.#bridges.delete(device);
      const number = this.#numbers.get(device);
      if (number !== undefined) this.#taken.delete(number);
      this.#numbers.delete(device);
    };
  }

  #numberOf(device: string): number {
    const known = this.#numbers.get(device);
    if (known !== undefined) return known;
    for (let tries = 0; tries < MAX_PORT; tries += 1) {
      const number = this.#nextPort;
      this.#nextPort = (this.#nextPort % MAX_PORT) + 1;
      if (this.#taken.has(number)) continue;
      this.#taken.add(number);
      this.#numbers.set(device, number);
      return number;
    }
    throw new InvalidPort('there is no free number for it');
  }

  #zone(bridge: string): number {
    const known = this.#zones.get(bridge);
    if (known !== undefined) return known;
    const taken = new Set(this.#zones.values());
    for (let tries = FIRST_ZONE; tries <= MAX_ZONE; tries += 1) {
      const zone = this.#nextZone;
      this.#nextZone = zone === MAX_ZONE ? FIRST_ZONE : zone + 1;
      if (taken.has(zone)) continue;
      this.#zones.set(bridge, zone);
      return zone;
    }
    throw new InvalidPort('there is no free conntrack zone for its network');
  }
}

const unquoted = (element: string): string => element.replaceAll('"', '');
