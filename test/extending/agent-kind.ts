import { startHeartbeat } from '../../src/agents/common/heartbeat.ts';
import type { AgentKind } from '../../src/cli/compose/agent.ts';

/**
 * A kind of agent, in one row. This one counts the networks of its host's DHCP agent and reports the number; a real one would
 * serve a topic of its own. Listed in `src/cli/agents/kinds.ts`, it has a command (`bin/neutrino metering-agent`), a lock on the
 * state path (`metering-agent.lock`), and runs beside the server in `bin/neutrino up`; `bin/neutrino down` stops it.
 */
export const METERING_AGENT: AgentKind = {
  name: 'metering-agent',
  title: 'metering agent',
  description: 'reports how much this host carries',
  // Program -> Debian package. `up` leaves out all agents, and says why, where one is missing.
  programs: async () => ({ ip: 'iproute2' }),
  // Printed when it is stopped: "stopping: SIGTERM; what has been counted is with the server".
  stays: 'what has been counted is with the server',

  // A kind with real code imports it here (`await import(...)`), so that other commands start fast.
  async start({ config, transport, log }) {
    const { host } = config.DEFAULT;
    const state = () => ({
      binary: 'neutron-metering-agent',
      host,
      topic: 'metering_agent',
      agent_type: 'Metering agent',
      configurations: { measure_interval: 30 },
    });
    const heartbeat = startHeartbeat({ transport, state, log, intervalMs: config.agent.report_interval * 1_000 });
    // `up` waits for the first report, so that whoever creates a resource then finds the agent known.
    return { reported: heartbeat.first, close: async () => heartbeat.close() };
  },
};
