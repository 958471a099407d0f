import { randomInt } from 'node:crypto';
import { ipBatch, isAlreadyThere } from '../../../src/linux/ip.ts';
import { deleteLink } from '../../../src/linux/links.ts';

const PREFIX_LENGTH = 24;
/** 512 prefixes are available, and few are used at a time. */
const MOST_TRIES = 100;

/** Connects test hosts to each other and to this machine: a bridge here, and a device `eth0` in each host. */
export interface Underlay {
  /** Address of this machine on the underlay. */
  readonly address: string;
  /** Creates `eth0` in the network namespace of a process; resolves to the address to assign, with prefix length. */
  plug(pid: number): Promise<string>;
  dispose(): Promise<void>;
}

/**
 * Creates an underlay with addresses in 198.18.0.0/15, which is reserved for benchmarks of network devices (RFC 2544, RFC 6890).
 */
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
      // Others may have been plugged meanwhile.
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

/** Creates a bridge named after a random free prefix: if two tests choose the same one, the kernel accepts only one. */
async function makeBridge(): Promise<{ readonly bridge: string; readonly prefix: string }> {
  for (let tries = 1; ; tries++) {
    const [second, third] = [18 + randomInt(2), randomInt(256)];
    const bridge = `nu-${second}-${third}`;
    try {
      // Without snooping, multicast (which carries VXLAN's broadcasts) reaches all ports; without delay, at once.
      await ipBatch([['link', 'add', 'name', bridge, 'type', 'bridge', 'mcast_snooping', '0', 'forward_delay', '0']]);
      return { bridge, prefix: `198.${second}.${third}` };
    } catch (error) {
      if (!isAlreadyThere(error) || tries === MOST_TRIES) throw error;
    }
  }
}
