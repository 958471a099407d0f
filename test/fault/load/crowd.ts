import { expect } from 'vitest';
import type { ApiClient } from '../../support/api-client.ts';
import { fillNetwork, makeAtOnce, tally } from './fill.ts';

const CLIENTS = 64;
const AT_ONCE = 250;

const addressesOf = (ports: readonly { readonly fixed_ips: readonly { readonly ip_address: string }[] }[]) =>
  ports.flatMap((port) => port.fixed_ips.map(({ ip_address }) => ip_address));

/** Returns the addresses of a /24, except those of `without` (last numbers). */
function addresses24(prefix: string, without: readonly number[]): readonly string[] {
  return Array.from({ length: 254 }, (_, i) => i + 1)
    .filter((last) => !without.includes(last))
    .map((last) => `${prefix}.${last}`);
}

/**
 * Expects from servers that share a database: 64 clients get every address of a /24 once, with a gateway (253, one of them the
 * DHCP port's) and without (254), and then clean rejections; 250 simultaneous creates all succeed.
 */
export async function expectRoomForAll(servers: readonly ApiClient[], awaitDhcp: (id: string) => Promise<void>) {
  const urls = servers.map((one) => one.url);
  const [api] = servers;
  if (!api) throw new Error('a server');

  const served = await api.network({ cidr: '10.71.0.0/24' });
  // Its agent also needs an address, before the clients have used all.
  await awaitDhcp(served);
  const bare = await api.network({ cidr: '10.72.0.0/24', gateway_ip: null, enable_dhcp: false });
  for (const [network, all] of [
    [served, addresses24('10.71.0', [1])],
    [bare, addresses24('10.72.0', [])],
  ] as const) {
    const { made, others } = await fillNetwork(urls, network, CLIENTS);
    expect(tally(others.map(({ answer }) => answer))).toEqual({ '409 IpAddressGenerationFailure': CLIENTS });
    const there = await api.ports(`network_id=${network}`);
    expect(addressesOf(there).toSorted()).toEqual(all.toSorted());
    const own = there.filter((port) => port.device_owner === 'network:dhcp');
    const answered = addressesOf(made.map(({ port }) => port));
    expect([...answered, ...addressesOf(own)].toSorted()).toEqual(all.toSorted());
    // Rejected although a later request got an address: rejected too early.
    const firstRefusal = Math.min(...others.map(({ came }) => came));
    expect(made.filter(({ asked }) => asked > firstRefusal)).toEqual([]);
  }

  const roomy = await api.network({ cidr: '10.73.0.0/23' });
  const answers = await makeAtOnce(urls, roomy, AT_ONCE);
  expect(tally(answers)).toEqual({ '201': AT_ONCE });
  const made = addressesOf(answers.flatMap((answer) => (answer.status === 201 ? [answer.body.port as never] : [])));
  expect(new Set(made).size).toBe(AT_ONCE);
}
