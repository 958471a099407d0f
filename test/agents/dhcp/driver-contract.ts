import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DhcpDriver } from '../../../src/agents/dhcp/contract.ts';
import type { WantedNetwork } from '../../../src/agents/dhcp/wanted.ts';
import type { PortDocument } from '../../../src/rpc/documents.ts';
import { waitFor } from '../../../src/time/wait.ts';

/** A driver under test, with the world around it: one network, and machines that ask for their addresses. */
export interface DriverWorld {
  /** A new driver, as after a start of the agent. What earlier ones serve is still there. */
  driver(): DhcpDriver;
  /** The network with the agent's own port and these. */
  network(ports: readonly PortDocument[]): WantedNetwork;
  /** Port `n` (11 to 99), at 10.0.0.n unless `address` is given. */
  port(n: number, address?: string): PortDocument;
  /** The address that the machine with the MAC address of port `n` gets; undefined: no answer. */
  ask(n: number): Promise<string | undefined>;
  /** Ends the network's server from outside. */
  kill(): Promise<void>;
  close(): Promise<void>;
}

/** What every DHCP driver does (src/agents/dhcp/contract.ts). */
export function dhcpDriverContract(name: string, create: () => Promise<DriverWorld>): void {
  describe(`the contract of DHCP drivers: ${name}`, () => {
    let world: DriverWorld;
    let driver: DhcpDriver;
    let id: string;
    beforeEach(async () => {
      world = await create();
      driver = world.driver();
      id = world.network([]).info.id;
    });
    afterEach(() => world.close());

    test('serve: every port is answered when it resolves, and nobody else', async () => {
      await driver.serve(world.network([world.port(11), world.port(12)]));
      expect([await world.ask(11), await world.ask(12), await world.ask(13)]).toEqual([
        '10.0.0.11',
        '10.0.0.12',
        undefined,
      ]);
      expect(await driver.known()).toEqual([id]);
    });

    test('serve replaces whatever was served before', async () => {
      await driver.serve(world.network([world.port(11), world.port(12)]));
      await driver.serve(world.network([world.port(12, '10.0.0.77')]));
      expect([await world.ask(11), await world.ask(12)]).toEqual([undefined, '10.0.0.77']);
    });

    test('portsChanged: a new port is answered, a changed one gets its new address, the others keep theirs', async () => {
      await driver.serve(world.network([world.port(11), world.port(12)]));
      await driver.portsChanged(id, { set: [world.port(12, '10.0.0.77'), world.port(13)], removed: [] });
      expect([await world.ask(11), await world.ask(12), await world.ask(13)]).toEqual([
        '10.0.0.11',
        '10.0.0.77',
        '10.0.0.13',
      ]);
    });

    test('portsChanged: a removed port is not answered any more, an unknown one is no error, and repeating changes nothing', async () => {
      await driver.serve(world.network([world.port(11), world.port(12)]));
      const changes = { set: [world.port(13)], removed: [world.port(11).id, world.port(99).id] };
      await driver.portsChanged(id, changes);
      await driver.portsChanged(id, changes);
      expect([await world.ask(11), await world.ask(12), await world.ask(13)]).toEqual([
        undefined,
        '10.0.0.12',
        '10.0.0.13',
      ]);
    });

    test('portsChanged: an address goes from one port to another in one change', async () => {
      await driver.serve(world.network([world.port(11), world.port(12)]));
      await driver.portsChanged(id, { set: [world.port(12, '10.0.0.11')], removed: [world.port(11).id] });
      expect(await world.ask(12)).toBe('10.0.0.11');
    });

    test('portsChanged: refused for a network that was not served', async () => {
      await expect(driver.portsChanged(id, { set: [world.port(11)], removed: [] })).rejects.toThrow(id);
      expect(await world.ask(11)).toBeUndefined();
    });

    test('stop: nobody is answered, nothing is left, what ended is named, and stopping again is no error', async () => {
      await driver.serve(world.network([world.port(11)]));
      expect(await driver.stop(id)).toMatch(/\S/);
      expect(await world.ask(11)).toBeUndefined();
      expect(await driver.known()).toEqual([]);
      expect(await driver.stop(id)).toBeUndefined();
    });

    test('close leaves the network served; the next driver knows it and takes it over', async () => {
      await driver.serve(world.network([world.port(11)]));
      await driver.close();
      expect(await world.ask(11)).toBe('10.0.0.11');
      const next = world.driver();
      expect(await next.known()).toEqual([id]);
      await next.serve(world.network([world.port(11)]));
      await next.portsChanged(id, { set: [world.port(12)], removed: [] });
      expect([await world.ask(11), await world.ask(12)]).toEqual(['10.0.0.11', '10.0.0.12']);
    });

    test('onDeath: the end of a server is reported with its network, and serve brings it back', async () => {
      await driver.serve(world.network([world.port(11)]));
      const death = new Promise<string>((resolve) => driver.onDeath(resolve));
      await world.kill();
      expect(await waitFor('word of the death', death, 10_000)).toBe(id);
      await driver.serve(world.network([world.port(11)]));
      expect(await world.ask(11)).toBe('10.0.0.11');
    });
  });
}
