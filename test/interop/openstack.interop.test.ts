import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keystoneObstacle } from '../support/keystone.ts';
import { type Cloud, startCloud } from './clients/cloud.ts';
import { installedCommands, runCommands } from './clients/openstack.ts';
import { COMMANDS, LEFT_OUT } from './clients/openstack-commands.ts';
import { clientObstacle, titleOf } from './clients/packages.ts';
import { compareResults } from './clients/results.ts';

describe.each(['lab', 'keystone'] as const)('openstack, with tokens of %s', (login) => {
  const obstacle = clientObstacle('openstack') ?? (login === 'keystone' ? keystoneObstacle() : undefined);
  describe.skipIf(obstacle)(titleOf('openstack', obstacle), () => {
    let cloud: Cloud;
    beforeAll(async () => {
      cloud = await startCloud(login);
    });
    afterAll(() => cloud?.close());

    test('the commands succeed, except for those that are listed', async () => {
      compareResults('openstack', await runCommands(cloud));
    });
  });
});

const obstacle = clientObstacle('openstack');

test.skipIf(obstacle)('every network command of the client is run, or its extension is left out', async () => {
  const run = Object.values(COMMANDS)
    .flat()
    .map((line) => line.replace(/^[\w-]+ = /, ''));
  const isRun = (name: string) => run.some((line) => `${line} `.startsWith(`${name} `));
  const isLeftOut = (name: string) => Object.keys(LEFT_OUT).some((start) => name.startsWith(start));
  expect((await installedCommands()).filter((name) => !isRun(name) && !isLeftOut(name))).toEqual([]);
});
