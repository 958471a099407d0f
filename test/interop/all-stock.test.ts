import { afterAll, beforeAll, describe, test } from 'vitest';
import type { AgentHost } from './agent-host.ts';
import { describeDhcpStory } from './dhcp-story.ts';
import { expectCleanLogs } from './logs.ts';
import { stockObstacle } from './stock-packages.ts';
import { type RunningServer, startWorld, type World } from './world.ts';

// What the story asks for is what stock parts do among themselves; not told each time, for it takes long.
const obstacle = process.env.INTEROP_ALL_STOCK ? stockObstacle() : 'runs with INTEROP_ALL_STOCK=1';

describe.skipIf(obstacle !== undefined)(
  `a stock DHCP agent under a stock server, for comparison${obstacle ? `: ${obstacle}` : ''}`,
  () => {
    let world: World;
    let server: RunningServer;
    let on: AgentHost;
    beforeAll(async () => {
      world = await startWorld();
      server = await world.server('stock');
      on = await world.agents(server.api, 'one', { dhcp: 'stock', l2: 'stock' });
    });
    afterAll(() => world?.dispose());

    describeDhcpStory(() => ({ api: server.api, on }));

    test('no side has logged an error', () => expectCleanLogs(world));
  },
);
