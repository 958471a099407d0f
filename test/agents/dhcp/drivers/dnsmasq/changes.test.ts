import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalNetwork } from '../../../../../src/agents/dhcp/answers/canonical.ts';
import { NetworkLines, renderLeases } from '../../../../../src/agents/dhcp/drivers/dnsmasq/render.ts';
import { type Config, defaultConfig } from '../../../../../src/config/options.ts';
import type { NetworkInfo, PortDocument } from '../../../../../src/rpc/documents.ts';
import { anyCase } from '../../../../interop/dhcp-driver/documents.ts';

/** What a network has become: all that the driver writes and runs. */
const written = (lines: NetworkLines) => {
  const { host, addnHosts, opts, commandLine, enableDhcp, enableMetadata, entitled, refused } = lines.rendered();
  return { host, addnHosts, opts, commandLine, enableDhcp, enableMetadata, leases: renderLeases(entitled, 0), refused };
};

test('ports that change one after another leave what the whole network would have been at once', () => {
  const steps = fc.array(fc.tuple(fc.array(fc.nat(20), { maxLength: 4 }), fc.array(fc.nat(20), { maxLength: 3 })), {
    minLength: 1,
    maxLength: 6,
  });
  fc.assert(
    fc.property(anyCase, anyCase, steps, ({ config, network }, { network: other }, changes) => {
      const options = { ...defaultConfig(), DEFAULT: { ...defaultConfig().DEFAULT, ...config } } as Config;
      // Documents of the same ports before and after a change, and ports of nothing that the network knows.
      const pool = [...network.ports, ...other.ports];
      const variant = (at: number): PortDocument | undefined => {
        const one = pool[at % pool.length];
        const two = pool[(at * 7 + 3) % pool.length];
        return one && two && { ...two, id: one.id, network_id: network.id };
      };
      const ports = new Map(network.ports.map((port) => [port.id, port]));
      const now = (): NetworkInfo => canonicalNetwork({ ...network, ports: [...ports.values()] });
      const lines = new NetworkLines(options, now());
      for (const [set, removed] of changes) {
        const fresh = new Map(set.flatMap((at) => variant(at) ?? []).map((port) => [port.id, port]));
        const gone = removed.flatMap((at) => pool[at % pool.length]?.id ?? []).filter((id) => !fresh.has(id));
        for (const id of gone) ports.delete(id);
        for (const [id, port] of fresh) ports.set(id, port);
        lines.change({ set: [...fresh.values()], removed: gone });
        expect(written(lines)).toEqual(written(new NetworkLines(options, now())));
      }
    }),
    { numRuns: 300 },
  );
});
