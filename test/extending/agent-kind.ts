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
  // Program -> Debian package. If one is missing, `up` starts no agents, and prints why.
  programs: async () => ({ ip: 'iproute2' }),
  // Printed when it is stopped: "stopping: SIGTERM; what has been counted is with the server".
  remains: 'what has been counted is with the server',

  // A kind with real code imports it here (`await import(...)`), so that other commands start quickly.
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
    // `up` waits for the first report, so that the agent is known when the first resource is created.
    return { reported: heartbeat.first, close: async () => heartbeat.close() };
  },
};
