import { afterAll, beforeAll, describe, test } from 'vitest';
import { type Cloud, startCloud } from './clients/cloud.ts';
import { clientObstacle, titleOf } from './clients/packages.ts';
import { compareResults } from './clients/results.ts';
import { runTempest } from './clients/tempest.ts';

const obstacle = clientObstacle('tempest');

describe.skipIf(obstacle)(titleOf('tempest', obstacle), () => {
  let cloud: Cloud;
  beforeAll(async () => {
    // These versions test the policy of Neutron 21 with its own default.
    cloud = await startCloud('lab', { oslo_policy: { enforce_new_defaults: false } });
  });
  afterAll(() => cloud?.close());

  test('the tests of the network API pass, except for those that are listed', { timeout: 3_000_000 }, async () => {
    compareResults('tempest', await runTempest(cloud));
  });
});
