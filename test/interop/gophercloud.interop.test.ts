import { afterAll, beforeAll, describe, test } from 'vitest';
import { runGophercloud } from './clients/gophercloud.ts';
import { type Cloud, startLabCloud } from './clients/lab-cloud.ts';
import { clientObstacle, titleOf } from './clients/packages.ts';
import { compareResults } from './clients/results.ts';

const obstacle = clientObstacle('gophercloud');

describe.skipIf(obstacle)(titleOf('gophercloud', obstacle), () => {
  let cloud: Cloud;
  beforeAll(async () => {
    cloud = await startLabCloud();
  });
  afterAll(() => cloud?.close());

  test('its acceptance tests pass, except for those that are listed', { timeout: 1_000_000 }, async () => {
    compareResults('gophercloud', await runGophercloud(cloud));
  });
});
