import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ipBatch } from '../../src/linux/ip.ts';
import { deleteNamespace, ensureNamespace } from '../../src/linux/namespaces.ts';
import { type DhcpClient, startDhcpClient } from './client.ts';

/** A bare dnsmasq that serves 10.0.0.0/8. */
export interface BareDnsmasq {
  readonly client: DhcpClient;
  /** Adds a host as a file that dnsmasq notices itself (--dhcp-hostsdir); returns the time when the file was moved there. */
  addByFolder(mac: string, address: string): bigint;
  /** Adds a host as a line in --dhcp-hostsfile and sends SIGHUP; returns the time of the signal. */
  addBySignal(mac: string, address: string): bigint;
  stop(): Promise<void>;
}

const SERVER = '10.0.0.1';

/** Starts it. `name`: prefix of its namespaces and devices, at most 8 characters; `hosts`: initial lines of its hosts file. */
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
        // Measured before, because dnsmasq may be faster than the return of the call.
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
