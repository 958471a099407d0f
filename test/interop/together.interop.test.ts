import { afterAll, beforeAll, describe, test } from 'vitest';
import type { Side } from './agent-host.ts';
import { expectCleanLogs } from './logs.ts';
import { stockObstacle } from './stock-packages.ts';
import { describeTogether, type SharedStage } from './together-story.ts';
import { startWorld, type World } from './world.ts';

const obstacle = stockObstacle();

for (const side of ['neutrino', 'stock'] as const satisfies Side[]) {
  const whose = side === 'stock' ? 'a stock server' : "Neutrino's server";
  const name = `a stock DHCP agent and Neutrino's, together under ${whose}`;
  describe.skipIf(obstacle !== undefined)(`${name}${obstacle ? `: ${obstacle}` : ''}`, () => {
    let world: World;
    let stage: SharedStage;
    beforeAll(async () => {
      world = await startWorld();
      const { api } = await world.server(side, { DEFAULT: { dhcp_agents_per_network: 2 } });
      const [stock, neutrino] = await Promise.all([
        world.agents(api, 'one', { dhcp: 'stock', l2: 'stock' }),
        world.agents(api, 'two', { dhcp: 'neutrino', l2: 'neutrino' }),
      ]);
      stage = { api, stock, neutrino };
    });
    afterAll(() => world?.dispose());

    describeTogether(() => stage);

    test('no side has logged an error', () => expectCleanLogs(world));
  });
}
