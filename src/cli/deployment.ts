import type { Command } from 'commander';
import { configInputs, withConfigFlags } from './config-flags.ts';

type Options = Readonly<Record<string, unknown>>;

const MORE = `
It takes stock files (--config-file neutron.conf --config-file dhcp_agent.ini); docs/operating.md tells how to run several.
`;

/**
 * Adds what runs over several machines: `server`, `dhcp-agent`, `l2-agent` and `db`. What they do is imported only when they
 * run, so that other commands start fast.
 */
export function registerDeploymentCommands(program: Command): void {
  withConfigFlags(
    program.command('server').description('the API alone, over RabbitMQ: as many as wanted on one MariaDB or MySQL'),
  )
    .addHelpText('after', MORE)
    .action(async (options: Options) => {
      const { runServer } = await import('./server-command.ts');
      await runServer(configInputs(options, process.env));
    });

  const agent = (name: string, description: string) =>
    withConfigFlags(program.command(name).description(description), ['--host', '--state-path']).addHelpText(
      'after',
      MORE,
    );
  agent('dhcp-agent', 'the DHCP agent of this host, over RabbitMQ, under Neutrino or a stock neutron-server').action(
    async (options: Options) => {
      const { runDhcpAgent } = await import('./agent-commands.ts');
      await runDhcpAgent(configInputs(options, process.env, 'agent'));
    },
  );
  agent('l2-agent', 'the Linux bridge agent of this host, over RabbitMQ').action(async (options: Options) => {
    const { runL2Agent } = await import('./agent-commands.ts');
    await runL2Agent(configInputs(options, process.env, 'agent'));
  });

  const db = program.command('db').description("the schema of the server's database");
  const print = (line: string) => void process.stdout.write(`${line}\n`);
  const step = (name: string, description: string) =>
    withConfigFlags(db.command(name).description(description), ['--state-path']);
  step('upgrade', 'bring it up to date; again, or several at the same time, does no harm').action(
    async (options: Options) => {
      const { upgradeDatabase } = await import('./db-command.ts');
      await upgradeDatabase(configInputs(options, process.env), print);
    },
  );
  step('check', 'exit code 0: it is current, 1: it is not, 2: the database cannot be asked').action(
    async (options: Options) => {
      const { checkDatabase } = await import('./db-command.ts');
      await checkDatabase(configInputs(options, process.env), print);
    },
  );
  step('version', 'print its last step').action(async (options: Options) => {
    const { databaseVersion } = await import('./db-command.ts');
    await databaseVersion(configInputs(options, process.env), print);
  });
}
