import type { Logger } from 'pino';
import { OvsdbDatabase } from '../../../../linux/ovsdb/database.ts';
import {
  entries,
  mapOf,
  namedUuid,
  number,
  type Row,
  references,
  setOf,
  text,
  uuidOf,
} from '../../../../linux/ovsdb/values.ts';
import { WaitTimeout, waitFor } from '../../../../time/wait.ts';

/** A port of a bridge with its interface; a bond has several interfaces, each of which is one of these. */
export interface SwitchPort {
  /** Name of the interface, and of its device. */
  readonly name: string;
  readonly bridge: string;
  /** `internal` for a device that Open vSwitch creates, empty for one of the system. */
  readonly type: string;
  /** The interface's external_ids. */
  readonly ids: Readonly<Record<string, string>>;
  /** Why Open vSwitch cannot use the device. */
  readonly fault?: string;
}

/** Carries no frames until the Open vSwitch agent replaces it by the local VLAN of the network (Neutron's DEAD_VLAN_TAG). */
const DEAD_VLAN = 4095;

const COLUMNS = {
  Open_vSwitch: ['cur_cfg'],
  Bridge: ['name', 'ports'],
  Port: ['interfaces'],
  Interface: ['name', 'type', 'external_ids', 'ofport', 'error'],
};

export interface SwitchOptions {
  /** The bridge to which ports are added. */
  readonly bridge: string;
  readonly address: string;
  /** Milliseconds for a request, and for ovs-vswitchd to carry it out. */
  readonly timeoutMs: number;
  readonly log: Logger;
  /** Called after ports were added, changed or removed by anyone. */
  readonly onChange?: () => void;
}

/** The Open vSwitch of this host. What is not said otherwise throws OvsdbUnavailable and OvsdbRefused. */
export class OpenvSwitch {
  readonly #options: SwitchOptions;
  readonly #database: OvsdbDatabase;
  #ports: ReadonlyMap<string, SwitchPort & { readonly portRow: string; readonly row: string }> | undefined;
  readonly #waiting = new Set<() => void>();
  /** The last change that removes a port: until it is carried out, a new port of the same name would be overlooked (LP 1519926). */
  #lastRemoval = 0;

  constructor(options: SwitchOptions) {
    this.#options = options;
    this.#database = new OvsdbDatabase({
      ...options,
      columns: COLUMNS,
      onChange: (tables) => {
        for (const wake of this.#waiting) wake();
        if (tables.size === 1 && tables.has('Open_vSwitch')) return;
        this.#ports = undefined;
        options.onChange?.();
      },
    });
  }

  /** Resolves when the ports are known. */
  async connected(): Promise<void> {
    await this.#database.connected();
  }

  /** The ports of all bridges by name, as last seen. */
  get ports(): ReadonlyMap<string, SwitchPort> {
    return this.#portRows();
  }

  /**
   * Adds a port to the bridge, on the dead VLAN. Resolves when ovs-vswitchd has it. Throws also if there is no such bridge, or
   * the device cannot be used.
   */
  async add({ name, type, ids }: Pick<SwitchPort, 'name' | 'type' | 'ids'>): Promise<void> {
    await this.connected();
    const { bridge } = this.#options;
    const [bridgeRow] = [...this.#database.rows('Bridge')].find(([, row]) => row.name === bridge) ?? [];
    if (bridgeRow === undefined) {
      throw new Error(`Open vSwitch has no bridge ${bridge}: the Open vSwitch agent of this host creates it`);
    }
    await this.settled();
    const change = await this.#change([
      { op: 'insert', table: 'Interface', row: { name, type, external_ids: mapOf(ids) }, 'uuid-name': 'interface' },
      {
        op: 'insert',
        table: 'Port',
        // A port without a VLAN header is not on the dead VLAN unless it is a trunk of that VLAN only (LP 1930414).
        row: { name, interfaces: namedUuid('interface'), tag: DEAD_VLAN, vlan_mode: 'trunk', trunks: DEAD_VLAN },
        'uuid-name': 'port',
      },
      mutatePorts(bridgeRow, 'insert', [namedUuid('port')]),
    ]);
    await this.#carriedOut(change);
    const fault = this.ports.get(name)?.fault;
    if (fault !== undefined) throw new Error(`Open vSwitch cannot use port ${name}: ${fault}`);
  }

  /** Sets entries of an interface's external_ids, and leaves others as they are. */
  async setIds(name: string, ids: SwitchPort['ids']): Promise<void> {
    await this.connected();
    const row = this.#portRows().get(name)?.row;
    if (row === undefined) throw new Error(`Open vSwitch has no port ${name}`);
    const mutations = [
      ['external_ids', 'delete', setOf(Object.keys(ids))],
      ['external_ids', 'insert', mapOf(ids)],
    ];
    await this.#database.transact([{ op: 'mutate', table: 'Interface', where: isRow(row), mutations }]);
  }

  /** Removes ports from their bridges. Absent ones are not an error. Does not wait for ovs-vswitchd. */
  async remove(names: readonly string[]): Promise<void> {
    await this.connected();
    const all = this.#portRows();
    const rows = names.flatMap((name) => all.get(name)?.portRow ?? []);
    const bridges = [...this.#database.rows('Bridge')].flatMap(([bridge, row]) => {
      const its = references(row.ports).filter((port) => rows.includes(port));
      return its.length > 0 ? [mutatePorts(bridge, 'delete', its.map(uuidOf))] : [];
    });
    if (bridges.length > 0) this.#lastRemoval = await this.#change(bridges);
  }

  /** Resolves when ovs-vswitchd has carried out the last removal. */
  async settled(): Promise<void> {
    await this.#carriedOut(this.#lastRemoval);
  }

  close(): void {
    this.#database.close();
  }

  /** Returns the number of the change, which ovs-vswitchd repeats when it has carried it out (ovs-vswitchd.conf.db(5), cur_cfg). */
  async #change(operations: readonly object[]): Promise<number> {
    const results = await this.#database.transact([
      ...operations,
      { op: 'mutate', table: 'Open_vSwitch', where: [], mutations: [['next_cfg', '+=', 1]] },
      { op: 'select', table: 'Open_vSwitch', where: [], columns: ['next_cfg'] },
    ]);
    const answer = results[operations.length + 1] as { readonly rows?: readonly Row[] } | undefined;
    return number(answer?.rows?.[0]?.next_cfg) ?? 0;
  }

  async #carriedOut(change: number): Promise<void> {
    const current = () => {
      const [row] = this.#database.rows('Open_vSwitch').values();
      return number(row?.cur_cfg) ?? 0;
    };
    if (current() >= change) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = () => {
      if (current() >= change) resolve();
    };
    this.#waiting.add(wake);
    try {
      await waitFor('ovs-vswitchd', promise, this.#options.timeoutMs);
    } catch (error) {
      if (!(error instanceof WaitTimeout)) throw error;
      throw new Error(`ovs-vswitchd has not carried out a change within ${error.timeoutMs} ms: is it running?`);
    } finally {
      this.#waiting.delete(wake);
    }
  }

  #portRows() {
    this.#ports ??= new Map(
      [...this.#database.rows('Bridge').values()].flatMap(({ name, ports }) =>
        references(ports).flatMap((portRow) =>
          references(this.#database.rows('Port').get(portRow)?.interfaces).flatMap((row) => {
            const found = this.#database.rows('Interface').get(row);
            return found ? [[String(found.name), { ...portOf(found, String(name)), portRow, row }] as const] : [];
          }),
        ),
      ),
    );
    return this.#ports;
  }
}

function portOf(row: Row, bridge: string): SwitchPort {
  const fault = text(row.error) ?? (number(row.ofport) === -1 ? 'it has no OpenFlow port' : undefined);
  return {
    name: String(row.name),
    bridge,
    type: String(row.type),
    ids: entries(row.external_ids),
    ...(fault === undefined ? {} : { fault }),
  };
}

const isRow = (id: string) => [['_uuid', '==', uuidOf(id)]];

function mutatePorts(bridge: string, how: 'insert' | 'delete', ports: readonly ReturnType<typeof uuidOf>[]) {
  return { op: 'mutate', table: 'Bridge', where: isRow(bridge), mutations: [['ports', how, setOf(ports)]] };
}
