import { afterAll, beforeAll, describe, test } from 'vitest';
import type { Side } from './agent-host.ts';
import { type Cloud, startCloud } from './cloud.ts';
import { expectCleanLogs } from './logs.ts';
import { stockObstacle } from './stock-packages.ts';
import { describeTogether, type TwoHosts } from './together-scenarios.ts';

const obstacle = stockObstacle();

for (const side of ['neutrino', 'stock'] as const satisfies Side[]) {
  const whose = side === 'stock' ? 'a stock server' : "Neutrino's server";
  const name = `a stock DHCP agent and Neutrino's, together under ${whose}`;
  describe.skipIf(obstacle !== undefined)(`${name}${obstacle ? `: ${obstacle}` : ''}`, () => {
    let cloud: Cloud;
    let hosts: TwoHosts;
    beforeAll(async () => {
      cloud = await startCloud();
      const { api } = await cloud.server(side, { DEFAULT: { dhcp_agents_per_network: 2 } });
      const [stock, neutrino] = await Promise.all([
        cloud.agents(api, 'one', { dhcp: 'stock', l2: 'stock' }),
        cloud.agents(api, 'two', { dhcp: 'neutrino', l2: 'neutrino' }),
      ]);
      hosts = { api, stock, neutrino };
    });
    afterAll(() => cloud?.dispose());

    describeTogether(() => hosts);

    test('no side has logged an error', () => expectCleanLogs(cloud));
  });
}
