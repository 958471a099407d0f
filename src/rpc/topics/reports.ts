import type { TopicContract } from '../topic.ts';

/** What an agent reports about itself, every `report_interval`. */
export interface AgentState {
  readonly binary: string;
  readonly host: string;
  readonly topic: string;
  readonly agent_type: string;
  readonly availability_zone?: string;
  readonly configurations: Readonly<Record<string, unknown>>;
  /** Set in the first report, and until the first answer. */
  readonly start_flag?: boolean;
  readonly resource_versions?: Readonly<Record<string, string>>;
}

interface ReportMethods {
  /** `time`: ISO 8601 without zone, UTC, microseconds. */
  report_state: {
    args: { agent_state: { agent_state: AgentState & { uuid: string } }; time: string };
    result: 'new' | 'alive' | 'revived' | null;
  };
  /** How agents find out that a server has started. */
  has_alive_neutron_server: { args: object; result: boolean };
}

/** `q-reports-plugin`: the heartbeats of agents. */
export const REPORTS_TOPIC: TopicContract<ReportMethods> = {
  topic: 'q-reports-plugin',
  // Agents of Neutron 2025.2 and later request report_state 1.4.
  version: '1.4',
  methods: { report_state: '1.2', has_alive_neutron_server: '1.0' },
};
export type { ReportMethods };
