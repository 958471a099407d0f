import { afterAll, beforeAll, describe, test } from 'vitest';
import type { AgentHost, Side } from './agent-host.ts';
import { type Cloud, type RunningServer, startCloud } from './cloud.ts';
import { describeDhcpScenarios } from './dhcp-scenarios.ts';
import { expectCleanLogs } from './logs.ts';

/** The implementation of each component. */
export interface Sides {
  readonly server: Side;
  readonly dhcp: Side;
  readonly l2: Side;
}

/** The scenarios of one DHCP agent with these components; skipped with the reason if there is an `obstacle`. */
export function describeDhcpScenariosAmong(
  title: string,
  { server, ...sides }: Sides,
  obstacle: string | undefined,
): void {
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

    describeDhcpScenarios(() => ({ api: running.api, on }));

    test('no side has logged an error', () => expectCleanLogs(cloud));
  });
}
