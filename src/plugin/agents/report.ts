import { randomUUID } from 'node:crypto';
import type { Trx } from '../../db/database.ts';
import type { Agents } from '../../db/schema.ts';
import { neutronError } from '../../resources/errors.ts';
import { line } from '../../resources/types.ts';
import { HOSTING_KINDS } from '../../scheduler/agent-kinds.ts';
import type { HostingKind } from '../../scheduler/hosting-kind.ts';
import { oldestHeartbeat } from '../../scheduler/liveness.ts';
import { isMapped, physicalNetworks } from '../../scheduler/segment-hosts.ts';
import { nowText } from '../../store/standard-attributes.ts';
import type { Core } from '../core.ts';
import { remapHost } from '../segments/remap-host.ts';

/** Reply to a report: the first of an agent, a later one, or the first after the agent was considered dead or was deleted. */
export type AgentStatus = 'new' | 'alive' | 'revived';

/** Widths of the columns that store them. */
const MAX_CONFIGURATIONS = 4095;
const MAX_RESOURCE_VERSIONS = 8191;
// ISO 8601 without a zone (UTC), with or without fractions of a second.
const REPORT_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?$/;

type State = Readonly<Record<string, unknown>>;
/** The columns that a report fills. */
type Reported = Omit<
  Agents,
  'id' | 'admin_state_up' | 'created_at' | 'started_at' | 'heartbeat_timestamp' | 'description'
>;

const invalid = (reason: string) => neutronError('InvalidInput', { reason });
const isObject = (value: unknown): value is State =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

function text(state: State, name: string, max: number): string {
  const value = line(max).parse(state[name], name);
  if (value === '') throw invalid(`${name} of an agent's state is empty`);
  return value;
}

function json(state: State, name: string, max: number): string {
  const value = state[name];
  if (!isObject(value)) throw invalid(`${name} of an agent's state is not a dictionary`);
  const encoded = JSON.stringify(value);
  if (encoded.length > max)
    throw invalid(`${name} of an agent's state is ${encoded.length} characters long, more than ${max}`);
  return encoded;
}

/** Returns the number of resources that an agent reports; 0 for agents that host none. */
function reportedLoad({ agent_type: type, configurations }: State, kinds: readonly HostingKind[]): number {
  const kind = kinds.find((one) => one.type === type);
  const count = kind && isObject(configurations) ? configurations[kind.loadKey] : undefined;
  return typeof count === 'number' && Number.isSafeInteger(count) && count >= 0 ? Math.min(count, 2 ** 31 - 1) : 0;
}

/** Validates the state in a `report_state`. Throws NeutronError that names the invalid value. */
function reportedColumns(state: State, kinds: readonly HostingKind[]): Reported {
  return {
    agent_type: text(state, 'agent_type', 180),
    binary: text(state, 'binary', 255),
    topic: text(state, 'topic', 255),
    host: text(state, 'host', 255),
    availability_zone:
      state.availability_zone === undefined || state.availability_zone === null
        ? null
        : text(state, 'availability_zone', 255),
    configurations: json(state, 'configurations', MAX_CONFIGURATIONS),
    resource_versions:
      state.resource_versions === undefined || state.resource_versions === null
        ? null
        : json(state, 'resource_versions', MAX_RESOURCE_VERSIONS),
    load: reportedLoad(state, kinds),
    resources_synced: typeof state.resources_synced === 'boolean' ? Number(state.resources_synced) : null,
  };
}

/** Logs, when an agent starts, that its clock is off by more than agent_down_time, which an operator must correct. */
function checkClock({ config, log }: Core, state: State, time: string): void {
  const apart = Math.abs(Date.now() - Date.parse(`${time}Z`)) / 1000;
  if (apart <= config.DEFAULT.agent_down_time) return;
  log.error(
    { host: state.host, agent_type: state.agent_type, agentTime: time, secondsApart: Math.round(apart) },
    `the clock of an agent differs from this server's by more than agent_down_time (${config.DEFAULT.agent_down_time} s)`,
  );
}

/**
 * Records that an agent is alive: registers it (by agent_type and host) or renews its state and heartbeat, by this server's
 * clock. `time`: the agent's own. Throws NeutronError for a malformed report, and then changes nothing.
 */
export async function reportState(
  core: Core,
  state: unknown,
  time: unknown,
  kinds: readonly HostingKind[] = HOSTING_KINDS,
): Promise<AgentStatus> {
  if (!isObject(state)) throw invalid("an agent's state is not a dictionary");
  if (typeof time !== 'string' || !REPORT_TIME.test(time))
    throw invalid(`the time of an agent's report does not have the form 2026-11-21T21:57:19.289277`);
  const columns = reportedColumns(state, kinds);
  const started = state.start_flag === true;
  if (started) checkClock(core, state, time);
  return core.db.transaction((trx) => record(trx, core, columns, started));
}

async function record(trx: Trx, core: Core, columns: Reported, started: boolean): Promise<AgentStatus> {
  const now = nowText();
  const known = await trx
    .selectFrom('agents')
    .select(['id', 'heartbeat_timestamp', 'configurations'])
    .where('agent_type', '=', columns.agent_type)
    .where('host', '=', columns.host)
    .executeTakeFirst();
  if (known) {
    const renewed = { ...columns, heartbeat_timestamp: now, ...(started ? { started_at: now } : {}) };
    await trx.updateTable('agents').set(renewed).where('id', '=', known.id).execute();
    await followMappings(trx, columns, known.configurations);
    return known.heartbeat_timestamp >= oldestHeartbeat(core.config) ? 'alive' : 'revived';
  }
  const admin_state_up = Number(core.config.DEFAULT.enable_new_agents);
  const times = { created_at: now, started_at: now, heartbeat_timestamp: now };
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('agents')
    .ignore()
    .values({ ...columns, ...times, id: randomUUID(), admin_state_up, description: null })
    .executeTakeFirstOrThrow();
  // Ignored: another server has registered the agent at the same moment.
  if ((numInsertedOrUpdatedRows ?? 0n) === 0n) return 'alive';
  await followMappings(trx, columns);
  // An unknown agent that has reported before was deleted: it must compare its state with its bindings.
  return started ? 'new' : 'revived';
}

/** Records which segments the agent's host reaches when its physical networks change. `before`: configurations that it reported. */
async function followMappings(trx: Trx, { host, configurations }: Reported, before = '{}'): Promise<void> {
  const now = physicalNetworks(configurations);
  const same = JSON.stringify(now) === JSON.stringify(physicalNetworks(before));
  // A host may lack all rows although its report has not changed: it is older than the table.
  if (same && (now.length === 0 || (await isMapped(trx, host)))) return;
  await remapHost(trx, host);
}
