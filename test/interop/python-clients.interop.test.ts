import { afterAll, beforeAll, describe, test } from 'vitest';
import { type Cloud, startCloud } from './clients/cloud.ts';
import { clientObstacle, titleOf } from './clients/packages.ts';
import { runPythonClient } from './clients/python-clients.ts';
import { compareResults } from './clients/results.ts';

describe.each(['openstacksdk', 'neutronclient'] as const)('%s', (library) => {
  const obstacle = clientObstacle(library);
  describe.skipIf(obstacle)(titleOf(library, obstacle), () => {
    let cloud: Cloud;
    beforeAll(async () => {
      cloud = await startCloud();
    });
    afterAll(() => cloud?.close());

    test('creates, shows, lists, updates and deletes all resources, except for those that are listed', async () => {
      compareResults(library, await runPythonClient(cloud, library));
    });
  });
});
