import type { Command } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { registerAgentCommands } from './agents/command.ts';
import { AGENT_KINDS } from './agents/kinds.ts';
import { registerBackupCommands } from './backup/command.ts';
import type { AgentKind } from './compose/agent.ts';
import { registerConfigCommands } from './config/command.ts';
import { registerDbCommands } from './db/command.ts';
import { registerDemoCommand } from './demo/command.ts';
import { registerDhcpCommands } from './dhcp/command.ts';
import { registerDownCommand } from './down/command.ts';
import { registerServerCommand } from './server/command.ts';
import { registerUpCommand } from './up/command.ts';
import { addHints, CheckedCommand } from './usage.ts';
import { registerVmCommands } from './vm/command.ts';

const DESCRIPTION = `OpenStack-compatible networks, fixed IPs and DHCP on this machine.

Start it with "neutrino up" and send Neutron API v2.0 requests to http://127.0.0.1:9696.
All state is stored in the state path (--state-path, default: /var/lib/neutrino).`;

const EXAMPLES = `
Examples:
  neutrino up                                     everything on this machine (as root)
  neutrino up --no-agents --state-path ./state    only the API, without root
  neutrino demo                                   watch a machine get its address
  neutrino vm boot vm1 --network net1             boot a machine yourself
  neutrino config show                            print the effective values
  neutrino down                                   stop, and remove what it created on this host
`;

/**
 * Builds the command line: one folder per command. The implementation of a command is imported only when it runs, so that each
 * starts quickly.
 */
export function buildProgram(kinds: readonly AgentKind[] = AGENT_KINDS): Command {
  const { version } = packageJson;
  const program = new CheckedCommand('neutrino')
    .exitOverride()
    .description(DESCRIPTION)
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print the help of a command')
    .addHelpText('after', EXAMPLES)
    .showHelpAfterError('(see "neutrino --help" and "neutrino COMMAND --help")');
  registerUpCommand(program, kinds, version);
  registerDownCommand(program, kinds);
  registerConfigCommands(program);
  registerDhcpCommands(program);
  registerVmCommands(program);
  registerDemoCommand(program);
  registerServerCommand(program);
  registerAgentCommands(program, kinds);
  registerDbCommands(program);
  registerBackupCommands(program);
  addHints(program);
  return program;
}
