import { randomBytes, randomInt } from 'node:crypto';
import { ipBatch } from '../../../src/linux/ip.ts';
import { deleteLink } from '../../../src/linux/links.ts';

const PREFIX_LENGTH = 24;

/** What joins test hosts to each other and to this machine: a bridge here, and a device `eth0` in each host. */
export interface Underlay {
  /** Address of this machine on it. */
  readonly address: string;
  /** Gives the network namespace of a process an `eth0`; resolves to the address that it shall have, with prefix length. */
  plug(pid: number): Promise<string>;
  dispose(): Promise<void>;
}

/** Makes one with addresses out of 198.18.0.0/15, which are meant for tests of network devices (RFC 2544, RFC 6890). */
export async function makeUnderlay(): Promise<Underlay> {
  const bridge = `nu-${randomBytes(4).toString('hex')}`;
  const prefix = `198.${18 + randomInt(2)}.${randomInt(256)}`;
  const address = `${prefix}.1`;
  await ipBatch([
    // Without snooping, multicast (what carries VXLAN's broadcasts) goes to all; without delay, at once.
    ['link', 'add', 'name', bridge, 'type', 'bridge', 'mcast_snooping', '0', 'forward_delay', '0'],
    ['addr', 'add', `${address}/${PREFIX_LENGTH}`, 'dev', bridge],
    ['link', 'set', 'dev', bridge, 'up'],
  ]);
  let hosts = 1;
  return {
    address,
    async plug(pid) {
      hosts += 1;
      // Others may be plugged meanwhile.
      const number = hosts;
      const outer = `${bridge}-${number}`;
      await ipBatch([
        ['link', 'add', 'name', outer, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(pid)],
        ['link', 'set', 'dev', outer, 'master', bridge, 'up'],
      ]);
      return `${prefix}.${number}/${PREFIX_LENGTH}`;
    },
    dispose: () => deleteLink(bridge),
  };
}
