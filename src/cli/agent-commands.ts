import { type ConfigInputs, loadConfig } from '../config/load.ts';
import { agentObstacles, DHCP_PROGRAMS, L2_PROGRAMS } from './agent-obstacles.ts';
import { composeDhcpAgent, composeL2Agent } from './compose-agents.ts';
import { CliFailure } from './failure.ts';
import { runService, stopSignal } from './lifetime.ts';
import { stderrLogger } from './log.ts';
import { lockRoles, type StateRole } from './state-lock.ts';
import { prepareStatePath } from './state-path.ts';
import { openTransport, requireTransportUrl } from './transport.ts';

interface AgentCommand {
  readonly name: Exclude<StateRole, 'up'>;
  readonly programs: typeof DHCP_PROGRAMS;
  readonly compose: typeof composeDhcpAgent;
  /** What stays when it stops. */
  readonly stays: string;
}

const DHCP: AgentCommand = {
  name: 'dhcp-agent',
  programs: DHCP_PROGRAMS,
  compose: composeDhcpAgent,
  stays: 'dnsmasq goes on serving the machines',
};
const L2: AgentCommand = {
  name: 'l2-agent',
  programs: L2_PROGRAMS,
  compose: composeL2Agent,
  stays: 'bridges and devices stay as they are',
};

/** `neutrino dhcp-agent`: until SIGTERM or SIGINT. Throws CliFailure and ConfigError. */
export const runDhcpAgent = (inputs: ConfigInputs): Promise<void> => runAgent(DHCP, inputs);
/** `neutrino l2-agent`: until SIGTERM or SIGINT. Throws CliFailure and ConfigError. */
export const runL2Agent = (inputs: ConfigInputs): Promise<void> => runAgent(L2, inputs);

async function runAgent({ name, programs, compose, stays }: AgentCommand, inputs: ConfigInputs): Promise<void> {
  const { config, warnings } = loadConfig(inputs);
  const log = stderrLogger(config.DEFAULT.debug);
  requireTransportUrl(config, `neutrino ${name}`);
  for (const warning of warnings) log.warn(warning);
  const obstacles = agentObstacles(programs);
  if (obstacles.length > 0) throw new CliFailure(`${name} cannot run here: ${obstacles.join('; ')}`);
  const { host, state_path: statePath } = config.DEFAULT;
  prepareStatePath(statePath);
  const lock = await lockRoles(statePath, [name]);
  if ('holder' in lock) {
    throw new CliFailure(
      `a ${name} runs on state path ${statePath} already (process ${lock.holder?.pid ?? 'unknown'}); stop it, or choose ` +
        'another with --state-path',
    );
  }
  const told = stopSignal().then((signal) => `${signal}; ${stays}`);
  try {
    await runService({
      log,
      told,
      async start(stop) {
        const transport = await openTransport(config, log, `neutrino-${name}`);
        // An agent that waits for the broker gives up when there is no way any more.
        stop.addEventListener('abort', () => void transport.close());
        const agent = await compose({ config, transport, log }).catch(async (error: unknown) => {
          await transport.close();
          throw error;
        });
        const close = async () => {
          await agent.close();
          await transport.close();
        };
        return { ready: `${name} of host ${host}`, close };
      },
    });
  } finally {
    lock.release();
  }
  process.exit();
}
