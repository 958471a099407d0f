/** Neutrino's processes as an operator starts them: `neutrino.ts server|dhcp-agent|l2-agent --config-file FILE ...`. */
import { parseArgs } from 'node:util';
import { startDhcpAgent } from '../../../src/agents/dhcp/agent.ts';
import { createDnsmasqDriver } from '../../../src/agents/dhcp/drivers/dnsmasq/driver.ts';
import { startL2Agent } from '../../../src/agents/l2/agent.ts';
import { stderrLogger } from '../../../src/cli/log.ts';
import { startServer } from '../../../src/cli/server.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { migrate } from '../../../src/db/migrate.ts';
import { openDatabase } from '../../../src/db/open.ts';
import { createRabbitTransport } from '../../../src/rpc/rabbit/transport.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { 'config-file': { type: 'string', multiple: true } },
});
const [role = ''] = positionals;
const { config } = loadConfig({ files: values['config-file'] ?? [] });
const log = stderrLogger(config.DEFAULT.debug);
const transport = createRabbitTransport({ config, log, programName: `neutrino-${role}` });

async function start(): Promise<{ close(): Promise<void> }> {
  switch (role) {
    case 'server': {
      const db = openDatabase(config);
      await migrate(db);
      await db.close();
      return startServer({ config, transport, log, embedded: false });
    }
    case 'l2-agent':
      return startL2Agent({ config, transport, log });
    case 'dhcp-agent': {
      const driver = createDnsmasqDriver({ config, log });
      const agent = await startDhcpAgent({ config, transport, driver, log });
      return {
        close: async () => {
          await agent.close();
          await driver.close();
        },
      };
    }
    default:
      throw new Error(`${role}: server, dhcp-agent or l2-agent would be right`);
  }
}

const running = await start();
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, async () => {
    await running.close();
    await transport.close();
    process.exit();
  });
}
