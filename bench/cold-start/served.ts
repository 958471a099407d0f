import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dhcpNamespace } from '../../src/net/device-names.ts';
import type { TestHost } from '../../test/support/hosts/test-host.ts';

/** What an agent has created for one network, as needed by a script that creates the same. */
export interface ServedNetwork {
  readonly id: string;
  /** The command line of its dnsmasq. */
  readonly command: readonly string[];
  /** Name of both ends of its veth pair. */
  readonly device: string;
  readonly mac: string;
  readonly mtu: number;
  /** With prefix length. */
  readonly address: string;
  readonly gateway: string | undefined;
  /** Copies of its files, except for those that dnsmasq writes. */
  readonly files: string;
}

/** Files that dnsmasq writes. */
const WRITTEN: readonly string[] = ['pid', 'log'];

/** Reads everything that the agent on a host has created, and copies its files to `copies`. */
export async function lookAtServed(
  host: TestHost,
  statePath: string,
  copies: string,
): Promise<readonly ServedNetwork[]> {
  const served: ServedNetwork[] = [];
  for (const id of readdirSync(join(statePath, 'dhcp'))) {
    const folder = join(statePath, 'dhcp', id);
    const namespace = dhcpNamespace(id);
    const pid = readFileSync(join(folder, 'pid'), 'utf8').trim();
    const command = (await host.run('cat', `/proc/${pid}/cmdline`)).split('\0').slice(0, -1);
    type Link = { ifname: string; address: string; mtu: number };
    type Addresses = { ifname: string; addr_info: readonly { family: string; local: string; prefixlen: number }[] };
    const links = JSON.parse(await host.run('ip', '-n', namespace, '-json', 'link', 'show')) as readonly Link[];
    const link = links.find(({ ifname }) => ifname.startsWith('tap'));
    if (!link) throw new Error(`no device in ${namespace}`);
    const [shown] = JSON.parse(
      await host.run('ip', '-n', namespace, '-json', 'addr', 'show', 'dev', link.ifname),
    ) as readonly Addresses[];
    const own = shown?.addr_info.find(({ family }) => family === 'inet');
    if (!own) throw new Error(`no address in ${namespace}`);
    const [route] = JSON.parse(await host.run('ip', '-n', namespace, '-json', 'route', 'show', 'default')) as readonly {
      gateway?: string;
    }[];
    const files = join(copies, id);
    cpSync(folder, files, { recursive: true, filter: (from) => !WRITTEN.some((name) => from === join(folder, name)) });
    served.push({
      id,
      command,
      device: link.ifname,
      mac: link.address,
      mtu: link.mtu,
      address: `${own.local}/${own.prefixlen}`,
      gateway: route?.gateway,
      files,
    });
  }
  return served;
}
