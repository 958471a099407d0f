import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Service } from '../../../src/plugin/service.ts';
import { ADMIN, memberOf } from '../../support/core.ts';
import { servicesOf } from '../../support/services.ts';
import { createWorld, type World } from '../world.ts';

let world: World;
let availabilities: Service;
beforeEach(async () => {
  world = await createWorld();
  availabilities = servicesOf(world.core).of('network_ip_availability');
});
afterEach(() => world.close());

const list = { filters: {}, sorts: [], pageReverse: false };

describe('IP availability of networks', () => {
  test('counts addresses in the pools and those in use, for each subnet; IPv6 exactly, beyond 2^53', async () => {
    const id = await world.network();
    const four = await world.subnet(id, '10.0.0.0/24');
    const six = await world.subnet(id, 'fd00::/64', { ip_version: 6, gateway_ip: 'fd00::1' });
    await world.port(id, { fixed_ips: [{ subnet_id: four }] });
    const shown = JSON.stringify(await availabilities.show(ADMIN, id));
    expect(shown).toContain('"total_ips":18446744073709551867');
    expect(shown).toContain(
      `"subnet_id":"${six}","subnet_name":"","ip_version":6,"cidr":"fd00::/64","used_ips":0,"total_ips":18446744073709551614`,
    );
    expect(JSON.parse(shown)).toMatchObject({ network_id: id, project_id: 'p1', used_ips: 1 });
    const onlyFour = { ...list, filters: { ip_version: ['4'] } };
    expect(await availabilities.list(ADMIN, onlyFour)).toMatchObject([{ used_ips: 1, total_ips: 253 }]);
  });

  test('is for administrators: others see none, not even of their own networks', async () => {
    const id = await world.network();
    expect(await availabilities.list(memberOf('p1'), list)).toEqual([]);
    await expect(availabilities.show(memberOf('p1'), id)).rejects.toMatchObject({ status: 404 });
    await expect(availabilities.show(ADMIN, 'x')).rejects.toMatchObject({ status: 404 });
  });
});
