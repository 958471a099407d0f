import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ipBatch } from '../../src/linux/ip.ts';
import { deleteNamespace, ensureNamespace } from '../../src/linux/namespaces.ts';
import { type DhcpClient, startDhcpClient } from './client.ts';

/** A dnsmasq with nothing around it, that serves 10.0.0.0/8 to the hosts it is told of. */
export interface BareDnsmasq {
  readonly client: DhcpClient;
  /** Tells it of a host by a file that it notices by itself (--dhcp-hostsdir); gives when the file was put there. */
  addByFolder(mac: string, address: string): bigint;
  /** Tells it of a host by a line more in --dhcp-hostsfile and SIGHUP; gives when the signal was sent. */
  addBySignal(mac: string, address: string): bigint;
  stop(): Promise<void>;
}

const SERVER = '10.0.0.1';

/** `name`: of its namespaces and devices, at most 8 characters; `hosts`: lines of hosts that it knows from the start. */
export async function startBareDnsmasq(name: string, folder: string, hosts: readonly string[]): Promise<BareDnsmasq> {
  const namespace = `${name}-server`;
  const hostsFile = join(folder, 'hosts');
  const hostsFolder = join(folder, 'hosts.d');
  mkdirSync(hostsFolder, { recursive: true });
  writeFileSync(hostsFile, hosts.map((line) => `${line}\n`).join(''));
  let client: DhcpClient | undefined;
  let server: ChildProcess | undefined;
  const stop = async () => {
    await client?.stop();
    if (server && server.exitCode === null && server.signalCode === null) {
      const ended = once(server, 'exit');
      server.kill('SIGKILL');
      await ended;
    }
    await deleteNamespace(namespace);
  };
  try {
    await ensureNamespace(namespace);
    const device = `${name}-0`;
    client = await startDhcpClient(`${name}-client`, device, namespace);
    await ipBatch([['addr', 'add', `${SERVER}/8`, 'dev', device]], { namespace });
    const options = [
      ...['--keep-in-foreground', '--conf-file=/dev/null', '--pid-file', '--user=root', '--port=0', '--no-ping'],
      ...['--bind-interfaces', `--interface=${device}`, '--dhcp-range=10.0.0.0,static,255.0.0.0,86400s'],
      ...[`--dhcp-lease-max=16777216`, `--dhcp-leasefile=${join(folder, 'leases')}`, '--dhcp-authoritative'],
      ...[`--dhcp-hostsfile=${hostsFile}`, `--dhcp-hostsdir=${hostsFolder}`],
      `--log-facility=${join(folder, 'log')}`,
    ];
    const dnsmasq = spawn('ip', ['netns', 'exec', namespace, 'dnsmasq', ...options], { stdio: 'inherit' });
    server = dnsmasq;
    let files = 0;
    const line = (mac: string, address: string) => `${mac},host-${address.replaceAll('.', '-')},${address}\n`;
    return {
      client,
      addByFolder(mac, address) {
        const unnoticed = join(folder, 'new-host');
        writeFileSync(unnoticed, line(mac, address));
        // The time before, as dnsmasq may be faster than the way back.
        const at = process.hrtime.bigint();
        renameSync(unnoticed, join(hostsFolder, `host-${files++}`));
        return at;
      },
      addBySignal(mac, address) {
        appendFileSync(hostsFile, line(mac, address));
        const at = process.hrtime.bigint();
        dnsmasq.kill('SIGHUP');
        return at;
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
