import { afterAll, beforeAll, describe, test } from 'vitest';
import { type Cloud, startCloud } from './clients/cloud.ts';
import { runGophercloud } from './clients/gophercloud.ts';
import { clientObstacle, titleOf } from './clients/packages.ts';
import { compareResults } from './clients/results.ts';

const obstacle = clientObstacle('gophercloud');

describe.skipIf(obstacle)(titleOf('gophercloud', obstacle), () => {
  let cloud: Cloud;
  beforeAll(async () => {
    cloud = await startCloud();
  });
  afterAll(() => cloud?.close());

  test('its acceptance tests pass, except for those that are listed', { timeout: 1_000_000 }, async () => {
    compareResults('gophercloud', await runGophercloud(cloud));
  });
});
