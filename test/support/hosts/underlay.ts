import { randomInt } from 'node:crypto';
import { ipBatch, isAlreadyThere } from '../../../src/linux/ip.ts';
import { deleteLink } from '../../../src/linux/links.ts';

const PREFIX_LENGTH = 24;
/** Of 512 prefixes, a few are taken at a time. */
const MOST_TRIES = 100;

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
  const { bridge, prefix } = await makeBridge();
  const address = `${prefix}.1`;
  await ipBatch([
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

/** A bridge with a prefix of its own, which its name says: of two tests that draw the same one, the kernel lets one have it. */
async function makeBridge(): Promise<{ readonly bridge: string; readonly prefix: string }> {
  for (let tries = 1; ; tries++) {
    const [second, third] = [18 + randomInt(2), randomInt(256)];
    const bridge = `nu-${second}-${third}`;
    try {
      // Without snooping, multicast (what carries VXLAN's broadcasts) goes to all; without delay, at once.
      await ipBatch([['link', 'add', 'name', bridge, 'type', 'bridge', 'mcast_snooping', '0', 'forward_delay', '0']]);
      return { bridge, prefix: `198.${second}.${third}` };
    } catch (error) {
      if (!isAlreadyThere(error) || tries === MOST_TRIES) throw error;
    }
  }
}
