import { afterEach, beforeEach, expect, it } from 'vitest';
import { soleHostOfAgents } from '../../../src/plugin/agents/sole-host.ts';
import { createWorld, type World } from '../world.ts';

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.close());

it('the host of all agents is known only if there is exactly one', async () => {
  const soleHost = () => soleHostOfAgents(world.core.db);
  expect(await soleHost()).toBeUndefined();
  await world.l2Agent('a');
  await world.dhcpAgent('a');
  expect(await soleHost()).toBe('a');
  await world.dhcpAgent('b');
  expect(await soleHost()).toBeUndefined();
});
