import { describe, expect, test } from 'vitest';
import { L2_DRIVERS, l2DriverKind } from '../../src/agents/l2/drivers/registry.ts';
import { defaultConfig } from '../../src/config/options.ts';
import { l2DriverContract } from '../agents/l2/driver-contract.ts';
import { L2World } from '../agents/l2/world.ts';
import { needsRoot } from '../linux/root.ts';
import { EXAMPLE_L2_DRIVER } from './l2-driver.ts';

l2DriverContract(EXAMPLE_L2_DRIVER);

describe('a listed L2 driver', () => {
  const { agent } = defaultConfig();

  test('is selected by [agent] l2_driver', () => {
    const kinds = [...L2_DRIVERS, EXAMPLE_L2_DRIVER];
    expect(l2DriverKind({ agent: { ...agent, l2_driver: 'example' } }, kinds)).toBe(EXAMPLE_L2_DRIVER);
    expect(() => l2DriverKind({ agent: { ...agent, l2_driver: 'other' } }, kinds)).toThrow(
      /l2_driver = "other": must be one of linuxbridge, example$/,
    );
  });

  test.skipIf(needsRoot)('runs in the agent, which reports the type of the driver (needs root)', async () => {
    const world = await L2World.create();
    try {
      await world.startAgent({}, { driver: EXAMPLE_L2_DRIVER });
      const { device, networkId, portId } = world.server.port();
      await world.addDevice(device);
      await world.server.hears(`update_device_up ${device}`);
      expect((await world.link(device))?.master).toBe(`exb${networkId.slice(0, 11)}`);
      expect(world.server.states[0]).toMatchObject({
        binary: 'neutron-example-agent',
        agent_type: 'Example agent',
        configurations: { tunnel_types: ['vxlan'] },
      });
      await world.server.portDelete(portId);
      await world.server.networkDelete(networkId);
      await world.sees(`exb${networkId.slice(0, 11)}`, (link) => link === undefined);
    } finally {
      await world.close();
    }
  });
});
