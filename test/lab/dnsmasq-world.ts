import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ipBatch } from '../../src/linux/ip.ts';
import { deleteLink } from '../../src/linux/links.ts';
import { deleteNamespace, ensureNamespace } from '../../src/linux/namespaces.ts';
import { addBridge, addVeth } from '../linux/devices.ts';

/** A network on this host without Neutrino: a bridge and a dnsmasq in a namespace, with unique names. */
export interface DnsmasqWorld {
  readonly id: string;
  readonly bridge: string;
  readonly namespace: string;
  readonly folder: string;
  readonly log: string;
  /** Sets the hosts, one `mac,name,address` per line, and reloads dnsmasq. */
  setHosts(lines: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

/** Starts dnsmasq on 10.64.0.2/24 with options of the test; `host` is empty at first. */
export async function startDnsmasqWorld(extra: readonly string[] = []): Promise<DnsmasqWorld> {
  const id = randomBytes(4).toString('hex');
  const folder = await mkdtemp(join(tmpdir(), 'neutrino-lab-'));
  const namespace = `t-dhcp-${id}`;
  const bridge = `t-br-${id}`;
  const hosts = join(folder, 'host');
  const log = join(folder, 'log');
  await writeFile(hosts, '');
  await writeFile(log, '');
  await ensureNamespace(namespace);
  await addBridge(bridge);
  await addVeth({ name: `t-q-${id}` }, { name: 'dhcp0', namespace });
  await ipBatch([['link', 'set', 'dev', `t-q-${id}`, 'master', bridge, 'up']]);
  await ipBatch(
    [
      ['addr', 'add', '10.64.0.2/24', 'dev', 'dhcp0'],
      ['link', 'set', 'dev', 'dhcp0', 'up'],
    ],
    { namespace },
  );
  const dnsmasq = spawn(
    'ip',
    [
      ...['netns', 'exec', namespace, 'dnsmasq', '--keep-in-foreground', '--conf-file=', '--no-hosts', '--no-resolv'],
      ...['--bind-interfaces', '--interface=dhcp0', '--except-interface=lo', '--dhcp-authoritative', '--log-dhcp'],
      ...[
        '--user=root',
        `--log-facility=${log}`,
        `--dhcp-hostsfile=${hosts}`,
        `--dhcp-leasefile=${join(folder, 'leases')}`,
      ],
      ...['--dhcp-range=set:s,10.64.0.0,static,255.255.255.0,600s', ...extra],
    ],
    { stdio: 'ignore' },
  );
  const ended = new Promise<void>((resolve) => dnsmasq.once('close', () => resolve()));
  const until = async (text: string, count: number) => {
    for (let i = 0; i < 500; i += 1) {
      const lines = (await readFile(log, 'utf8')).split('\n').filter((line) => line.includes(text));
      if (lines.length >= count) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`dnsmasq of ${namespace} did not log ${text}: ${await readFile(log, 'utf8')}`);
  };
  let reads = 1;
  await until(`read ${hosts}`, reads);
  return {
    id,
    bridge,
    namespace,
    folder,
    log,
    async setHosts(lines) {
      await writeFile(hosts, `${lines.join('\n')}\n`);
      reads += 1;
      dnsmasq.kill('SIGHUP');
      await until(`read ${hosts}`, reads);
    },
    async stop() {
      dnsmasq.kill('SIGKILL');
      await ended;
      await deleteLink(`t-q-${id}`);
      await deleteLink(bridge);
      await deleteNamespace(namespace);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
