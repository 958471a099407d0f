import type { TopicContract } from '../topic.ts';

/** An agent's own account of itself, sent every `report_interval`. */
export interface AgentState {
  readonly binary: string;
  readonly host: string;
  readonly topic: string;
  readonly agent_type: string;
  readonly availability_zone?: string;
  readonly configurations: Readonly<Record<string, unknown>>;
  /** In the first report, and until the first answer. */
  readonly start_flag?: boolean;
  readonly resource_versions?: Readonly<Record<string, string>>;
}

interface ReportMethods {
  /** `time`: ISO 8601 without zone, UTC, microseconds. */
  report_state: {
    args: { agent_state: { agent_state: AgentState & { uuid: string } }; time: string };
    result: 'new' | 'alive' | 'revived' | null;
  };
}

/** `q-reports-plugin`: agents report that they live. */
export const REPORTS_TOPIC: TopicContract<ReportMethods> = {
  topic: 'q-reports-plugin',
  version: '1.3',
  methods: { report_state: '1.2' },
};
export type { ReportMethods };
