import type { RawBuilder, SqlBool } from 'kysely';
import type { Config } from '../config/options.ts';
import type { RpcArgs } from '../rpc/contract.ts';
import type { AgentEvent } from '../rpc/events.ts';

type Options = Config['DEFAULT'];
/** Names of the options in [DEFAULT] that have values of a type. */
type OptionOf<T> = { [K in keyof Options]: Options[K] extends T ? K : never }[keyof Options];

/** An event for the agent of one host, with its payload. */
export interface Notification {
  readonly event: AgentEvent<RpcArgs, string, 'host'>;
  readonly payload: RpcArgs;
}

/** A host that can serve a part of a resource. */
interface PartHost {
  readonly resource_id: string;
  readonly part_id: string;
  /** Null: no host can. */
  readonly host: string | null;
}

/** A kind of agent that hosts resources: networks on DHCP agents, routers on L3 agents. */
export interface HostingKind {
  /** `agent_type` in reports. */
  readonly type: string;
  /** Topic of the events for its agents. */
  readonly topic: string;
  /** What its agents host. */
  readonly hosted: {
    /** Name of the resource, as logs and availability zones name it. */
    readonly resource: string;
    /**
     * Selects of all such resources `id`, `name`, `availability_zone_hints` (a JSON list) and `single`: 1 if the resource has one agent
     * at most, 0 if it has as many as the configuration says.
     */
    readonly all: RawBuilder<unknown>;
    /** Condition on `all` that holds for the resources that need an agent. */
    readonly needsAgent: RawBuilder<SqlBool>;
    /**
     * Condition on `all` that holds for resources whose agents take over from each other by themselves: failover leaves them where they
     * are. Default: none.
     */
    readonly redundant?: RawBuilder<SqlBool>;
    /**
     * Selects the parts of these resources that have agents of their own, each as many as the configuration says: a row for each host
     * that can serve the part, or one without a host. Resources without parts are served as a whole, from any host.
     */
    readonly parts?: (ids: RawBuilder<unknown>) => RawBuilder<PartHost>;
    /** Condition on `hosted` (a row of `all`) that holds for the resources that have several parts, or may have. Default: none. */
    readonly isDivided?: RawBuilder<SqlBool>;
  };
  /**
   * Table of bindings: the columns that name the resource and the agent, and `binding_index`. The pairs
   * (resource, agent) and (resource, binding_index) MUST be unique keys; rows MUST go with the agent that they name.
   */
  readonly bindings: { readonly table: string; readonly resource: string; readonly agent: string };
  /** Entry in the `configurations` of a report that counts what the agent hosts. */
  readonly loadKey: string;
  /** Names of the options that apply. */
  readonly options: {
    /** Agents that a resource gets; 0: all. */
    readonly agents: OptionOf<number>;
    /** How they are chosen. */
    readonly scheduler: OptionOf<string>;
    /** Whether agents that ask are given what lacks an agent. */
    readonly autoSchedule: OptionOf<boolean>;
    /** Whether live agents take over from dead ones. */
    readonly failover: OptionOf<boolean>;
    /** Whether agents are notified of changes; default: always. */
    readonly notification?: OptionOf<boolean>;
  };
  /** The events about an agent itself. */
  readonly notify: {
    /** It was given a resource. */
    added(id: string): Notification;
    /** A resource was taken off it. */
    removed(id: string): Notification;
    /** It was enabled or disabled. */
    updated(enabled: boolean): Notification;
  };
}

/** Whether agents of a kind are notified of changes of what they host. */
export const isNotified = ({ DEFAULT }: Config, { options: { notification } }: HostingKind): boolean =>
  notification === undefined || DEFAULT[notification];

/** Returns how many agents a resource of a kind gets. `single`: as selected by `hosted.all`. */
export function agentsWanted({ DEFAULT }: Config, { options }: HostingKind, single: number): number {
  const most = DEFAULT[options.agents];
  return Number(single) === 1 ? 1 : most === 0 ? Number.MAX_SAFE_INTEGER : most;
}

/** Whether live agents of a kind take over what dead ones host: as in Neutron, only if automatic scheduling is enabled. */
export const failsOver = ({ DEFAULT }: Config, { options }: HostingKind): boolean =>
  DEFAULT[options.failover] && DEFAULT[options.autoSchedule];
