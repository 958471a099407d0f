import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cloud, startLabCloud } from './clients/lab-cloud.ts';
import { installedCommands, runCommands } from './clients/openstack.ts';
import { COMMANDS, LEFT_OUT } from './clients/openstack-commands.ts';
import { clientObstacle, titleOf } from './clients/packages.ts';
import { compareResults } from './clients/results.ts';

const obstacle = clientObstacle('openstack');

describe.skipIf(obstacle)(titleOf('openstack', obstacle), () => {
  let cloud: Cloud;
  beforeAll(async () => {
    cloud = await startLabCloud();
  });
  afterAll(() => cloud?.close());

  test('every network command of the client runs, or its extension is left out', async () => {
    const run = Object.values(COMMANDS).flat();
    const has = (name: string) =>
      run.some((line) => line.replace(/^[\w-]+ = /, '').startsWith(`${name} `) || line.endsWith(name));
    const leftOut = (name: string) => Object.keys(LEFT_OUT).some((start) => name.startsWith(start));
    expect((await installedCommands()).filter((name) => !has(name) && !leftOut(name))).toEqual([]);
  });

  test('the commands succeed, except for those that are listed', async () => {
    compareResults('openstack', await runCommands(cloud));
  });
});
