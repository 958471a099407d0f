import { randomBytes } from 'node:crypto';
import { ipBatch } from '../../../../../src/linux/ip.ts';
import { deleteNamespace, ensureNamespace } from '../../../../../src/linux/namespaces.ts';
import { run } from '../../../../../src/linux/run.ts';
import { waitFor } from '../../../../../src/time/wait.ts';

const START_MS = 10_000;

/** A machine on the bridge of a test host. */
export interface Guest {
  readonly device: string;
  readonly mac: string;
  readonly ip: string;
  readonly ip6: string;
  /** Runs a Python program in the machine; returns what it prints. */
  python(program: string, timeoutMs?: number): Promise<string>;
  /** Resolves when a program in the machine listens on a TCP port. */
  listens(port: number): Promise<void>;
  /** Resolves when a program in the machine receives raw frames. */
  hears(): Promise<void>;
}

/** A host with one bridge, in a namespace. */
export interface FirewallHost {
  readonly namespace: string;
  readonly bridge: string;
  guest(number: number): Promise<Guest>;
  run(...command: readonly string[]): Promise<string>;
  dispose(): Promise<void>;
}

/** Makes a host whose bridge has these options. */
export async function firewallHost(bridgeOptions: readonly string[]): Promise<FirewallHost> {
  const id = randomBytes(3).toString('hex');
  const namespace = `fw-${id}`;
  const bridge = 'brqtest';
  const namespaces = [namespace];
  await ensureNamespace(namespace);
  await ipBatch(
    [
      ['link', 'add', 'name', bridge, 'type', 'bridge', 'forward_delay', '0', 'mcast_snooping', '0', ...bridgeOptions],
      ['link', 'set', 'dev', bridge, 'up'],
      ['link', 'set', 'dev', 'lo', 'up'],
    ],
    { namespace },
  );
  const inside = async (where: string, command: readonly string[], timeoutMs = 20_000) =>
    (await run(['ip', 'netns', 'exec', where, ...command], { timeoutMs, okCodes: [0, 1, 2] })).stdout;
  return {
    namespace,
    bridge,
    async guest(number) {
      const own = `${namespace}-${number}`;
      namespaces.push(own);
      await ensureNamespace(own);
      const mac = `fa:16:3e:00:00:0${number}`;
      const [ip, ip6] = [`10.0.0.${10 + number}`, `fd00::${10 + number}`];
      const device = `tap0000000${number}-00`;
      await ipBatch([['link', 'add', device, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', own]], { namespace });
      await ipBatch(
        [
          ['link', 'set', 'dev', 'eth0', 'address', mac],
          ['link', 'set', 'dev', 'eth0', 'up'],
          ['addr', 'add', `${ip}/24`, 'dev', 'eth0'],
          ['addr', 'add', `${ip6}/64`, 'dev', 'eth0', 'nodad'],
        ],
        { namespace: own },
      );
      await ipBatch([['link', 'set', 'dev', device, 'master', bridge, 'up']], { namespace });
      return {
        device,
        mac,
        ip,
        ip6,
        python: async (program, timeoutMs) =>
          (await inside(own, ['/usr/bin/python3', '-c', program], timeoutMs)).trim(),
        async listens(port) {
          const looks = async () => (await inside(own, ['ss', '-Hltn', `sport = :${port}`])) !== '';
          await waitFor(`a program to listen on port ${port} of ${device}`, looks, START_MS);
        },
        async hears() {
          // packet(7): a line per socket, below a heading; those that are bound to all protocols receive.
          const looks = async () => /^\S+ \d+ +3 +0003 /m.test(await inside(own, ['cat', '/proc/net/packet']));
          await waitFor(`a program to receive frames of ${device}`, looks, START_MS);
        },
      };
    },
    run: (...command) => inside(namespace, command),
    async dispose() {
      for (const one of namespaces.reverse()) await deleteNamespace(one);
    },
  };
}
