import { afterAll, beforeAll, describe, test } from 'vitest';
import type { AgentHost, Side } from './agent-host.ts';
import { describeDhcpStory } from './dhcp-story.ts';
import { expectCleanLogs } from './logs.ts';
import { type RunningServer, startWorld, type World } from './world.ts';

/** Whose parts take part. */
export interface Cast {
  readonly server: Side;
  readonly dhcp: Side;
  readonly l2: Side;
}

/** The story of one DHCP agent, told among these parts; skipped with the reason where there is an `obstacle`. */
export function describeDhcpStoryAmong(title: string, { server, ...sides }: Cast, obstacle: string | undefined): void {
  describe.skipIf(obstacle !== undefined)(`${title}${obstacle ? `: ${obstacle}` : ''}`, () => {
    let world: World;
    let running: RunningServer;
    let on: AgentHost;
    beforeAll(async () => {
      world = await startWorld();
      running = await world.server(server);
      on = await world.agents(running.api, 'one', sides);
    });
    afterAll(() => world?.dispose());

    describeDhcpStory(() => ({ api: running.api, on }));

    test('no side has logged an error', () => expectCleanLogs(world));
  });
}
