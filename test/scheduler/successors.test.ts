import { afterEach, beforeEach, expect, it } from 'vitest';
import { DHCP_AGENTS } from '../../src/scheduler/agent-kinds.ts';
import { bind } from '../../src/scheduler/bindings.ts';
import { aliveAgents } from '../../src/scheduler/candidates.ts';
import { chooseSuccessor, resourcesWithSuccessor } from '../../src/scheduler/successors.ts';
import { weight } from '../../src/scheduler/weight.ts';
import { createWorld, type World } from '../plugin/world.ts';

let world: World;
let old: string;
beforeEach(async () => {
  world = await createWorld();
  old = await world.dhcpAgent('old');
  await world.kill(old);
});
afterEach(() => world.close());

async function network(zones: readonly string[] = [], dhcp = true): Promise<string> {
  const id = await world.network({ availability_zone_hints: zones });
  await world.subnet(id, '10.0.0.0/24', { enable_dhcp: dhcp });
  await world.transaction((trx) => bind(trx, DHCP_AGENTS, id, old));
  return id;
}
async function movable(page?: number): Promise<string[]> {
  const { core } = world;
  const alive = await aliveAgents(core.db.kysely, core.config, DHCP_AGENTS, false);
  const found: string[] = [];
  for await (const id of resourcesWithSuccessor(core.db.kysely, core.config, DHCP_AGENTS, old, alive, page))
    found.push(id);
  return found;
}

it('networks that a live agent could take over are found in pages', async () => {
  const agent = await world.dhcpAgent('h1', { availability_zone: 'z1' });
  const networks: string[] = [];
  for (let n = 0; n < 5; n += 1) networks.push(await network());
  const both = await network();
  await world.transaction((trx) => bind(trx, DHCP_AGENTS, both, agent));
  await network([], false);
  networks.push(await network(['z1']));
  const other = await world.dhcpAgent('h2', { availability_zone: 'z2' });
  const elsewhere = await network(['z2']);
  await world.kill(other);
  expect(await movable()).not.toContain(elsewhere);
  for (const page of [1, 2, 4, 500]) expect(await movable(page)).toEqual([...networks].sort());
});

it('the next page of networks follows although the first one was moved meanwhile', async () => {
  await world.dhcpAgent('h1');
  const networks = [await network(), await network(), await network()].sort();
  const { core } = world;
  const alive = await aliveAgents(core.db.kysely, core.config, DHCP_AGENTS, false);
  const found: string[] = [];
  for await (const id of resourcesWithSuccessor(core.db.kysely, core.config, DHCP_AGENTS, old, alive, 1)) {
    found.push(id);
    await core.db.kysely.deleteFrom('networkdhcpagentbindings').where('network_id', '=', id).execute();
  }
  expect(found).toEqual(networks);
});

it('the successor of an agent is one that does not host the network already', async () => {
  const one = await world.dhcpAgent('h1');
  const id = await network();
  const choose = () =>
    world
      .transaction((trx) => chooseSuccessor(trx, world.core.config, DHCP_AGENTS, weight, id, old))
      .then((agent) => agent?.host);
  expect(await choose()).toBe('h1');
  await world.transaction((trx) => bind(trx, DHCP_AGENTS, id, one));
  expect(await choose()).toBeUndefined();
  await world.dhcpAgent('h2');
  expect(await choose()).toBe('h2');
});
