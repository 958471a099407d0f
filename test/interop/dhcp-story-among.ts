import { afterAll, beforeAll, describe, test } from 'vitest';
import type { AgentHost, Side } from './agent-host.ts';
import { type Cloud, type RunningServer, startCloud } from './cloud.ts';
import { describeDhcpStory } from './dhcp-story.ts';
import { expectCleanLogs } from './logs.ts';

/** Whose parts take part. */
export interface Cast {
  readonly server: Side;
  readonly dhcp: Side;
  readonly l2: Side;
}

/** The story of one DHCP agent, told among these parts; skipped with the reason where there is an `obstacle`. */
export function describeDhcpStoryAmong(title: string, { server, ...sides }: Cast, obstacle: string | undefined): void {
  describe.skipIf(obstacle !== undefined)(`${title}${obstacle ? `: ${obstacle}` : ''}`, () => {
    let cloud: Cloud;
    let running: RunningServer;
    let on: AgentHost;
    beforeAll(async () => {
      cloud = await startCloud();
      running = await cloud.server(server);
      on = await cloud.agents(running.api, 'one', sides);
    });
    afterAll(() => cloud?.dispose());

    describeDhcpStory(() => ({ api: running.api, on }));

    test('no side has logged an error', () => expectCleanLogs(cloud));
  });
}
