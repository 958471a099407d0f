import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WantedProxy } from '../../../../src/agents/dhcp/metadata/contract.ts';
import { type Config, defaultConfig } from '../../../../src/config/options.ts';
import { ipBatch } from '../../../../src/linux/ip.ts';
import { deleteNamespace, ensureNamespace, namespacePath } from '../../../../src/linux/namespaces.ts';
import { run } from '../../../../src/linux/run.ts';
import { waitFor } from '../../../../src/time/wait.ts';

export type ProxyConfig = Pick<Config, 'DEFAULT' | 'metadata_rate_limiting'>;

interface Reply {
  readonly status: number;
  readonly text: string;
}

/** A network's namespace with a device that has the metadata addresses, and a stand-in for the metadata agent. */
export class ProxySite {
  readonly folder = mkdtempSync(join(tmpdir(), 'neutrino-proxy-'));
  readonly networkId = randomUUID();
  readonly namespace = `qdhcp-${this.networkId}`;
  config: ProxyConfig;
  /** Requests that have reached the metadata agent. */
  requests = 0;
  #server: Server | undefined;

  constructor() {
    const defaults = defaultConfig();
    this.config = {
      metadata_rate_limiting: defaults.metadata_rate_limiting,
      DEFAULT: {
        ...defaults.DEFAULT,
        state_path: this.folder,
        metadata_proxy_socket: join(this.folder, 'metadata_proxy'),
        external_pids: join(this.folder, 'external/pids'),
      },
    };
  }

  static async make(): Promise<ProxySite> {
    const site = new ProxySite();
    await ensureNamespace(site.namespace);
    await site.makeDevice();
    await site.startAgent();
    return site;
  }

  wanted(values: Partial<WantedProxy> = {}): WantedProxy {
    const { networkId, namespace } = this;
    return { networkId, namespace, devices: ['dev0'], routerId: undefined, ...values };
  }

  async makeDevice(): Promise<void> {
    await ipBatch(
      [
        ['link', 'add', 'name', 'dev0', 'type', 'veth', 'peer', 'name', 'dev1'],
        ['link', 'set', 'dev', 'dev0', 'up'],
        ['link', 'set', 'dev', 'dev1', 'up'],
        ['addr', 'add', '169.254.169.254/32', 'dev', 'dev0'],
        ['addr', 'add', 'fe80::a9fe:a9fe/128', 'dev', 'dev0', 'nodad'],
      ],
      { namespace: this.namespace },
    );
  }

  async removeDevice(): Promise<void> {
    await ipBatch([['link', 'delete', 'dev', 'dev0']], { namespace: this.namespace });
  }

  /** Starts a metadata agent; by default it answers with the headers that reach it, as JSON. */
  async startAgent(listener: RequestListener = (req, res) => res.end(JSON.stringify(req.headers))): Promise<void> {
    this.#server = createServer((req, res) => {
      this.requests += 1;
      listener(req, res);
    });
    this.#server.listen(this.config.DEFAULT.metadata_proxy_socket);
    await once(this.#server, 'listening');
  }

  async stopAgent(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }

  /** Runs a program as a machine, in the namespace. */
  readonly inside = async (...command: readonly [string, ...string[]]): Promise<string> => {
    const { stdout } = await run(['nsenter', `--net=${namespacePath(this.namespace)}`, '--', ...command], {
      timeoutMs: 60_000,
    });
    return stdout;
  };

  /** Asks as a machine. */
  async get(host = '169.254.169.254', ...options: readonly string[]): Promise<Reply> {
    const url = `http://${host.includes(':') ? `[${host}]` : host}/x`;
    const words = ['-sS', '-g', '-m', '40', '-w', '\n%{http_code}', ...options, url] as const;
    const output = await this.inside('curl', ...words);
    const end = output.lastIndexOf('\n');
    return { status: Number(output.slice(end + 1)), text: output.slice(0, end) };
  }

  /** Asks as a machine, with headers of its own; returns the headers that reach the metadata agent. */
  async headers(host?: string, own: Readonly<Record<string, string>> = {}): Promise<IncomingHttpHeaders> {
    const words = Object.entries(own).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
    return JSON.parse((await this.get(host, ...words)).text) as IncomingHttpHeaders;
  }

  /** Waits for an answer, because machines cannot use an IPv6 address before its duplicate address detection is over. */
  headersOverIpv6(own: Readonly<Record<string, string>> = {}): Promise<IncomingHttpHeaders> {
    const ask = () => this.headers('fe80::a9fe:a9fe%25dev0', own).catch(() => undefined);
    return waitFor('an answer on IPv6', ask, 20_000);
  }

  async remove(): Promise<void> {
    await this.stopAgent();
    await deleteNamespace(this.namespace);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
