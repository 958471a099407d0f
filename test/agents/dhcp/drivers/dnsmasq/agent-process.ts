import { readFileSync } from 'node:fs';
import { pino } from 'pino';
import { createDnsmasqDriver } from '../../../../../src/agents/dhcp/drivers/dnsmasq/driver.ts';
import type { WantedNetwork } from '../../../../../src/agents/dhcp/wanted.ts';
import type { Config } from '../../../../../src/config/options.ts';

/** An agent to kill: applies one wanted state after the other, round and round, for at most half a minute. */
const { config, states } = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as {
  config: Config;
  states: readonly WantedNetwork[];
};
const driver = createDnsmasqDriver({ config, log: pino({ level: 'silent' }) });
const end = Date.now() + 30_000;
for (let i = 0; Date.now() < end; i++) {
  const state = states[i % states.length];
  if (state) await driver.serve(state);
}
