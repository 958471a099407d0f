import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from '../../src/lab/wait.ts';
import { run } from '../../src/linux/run.ts';
import type { PortDocument } from '../../src/rpc/documents.ts';

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');

type Json = Readonly<Record<string, unknown>>;

/** `bin/neutrino up` as a process of its own, on its own state path, port and host name; killed and started at will. */
export interface NeutrinoProcess {
  readonly url: string;
  readonly statePath: string;
  readonly host: string;
  start(): Promise<void>;
  /** kill -9. */
  kill(): Promise<void>;
  /** SIGTERM. */
  stop(): Promise<void>;
  request(method: string, path: string, body?: Json): Promise<{ readonly status: number; readonly body: Json }>;
  network(...cidrs: readonly (string | Json)[]): Promise<string>;
  port(networkId: string, values?: Json): Promise<PortDocument>;
  /** Text of a file in the network's folder. */
  file(networkId: string, name: string): Promise<string>;
  /** Pid of the network's dnsmasq; undefined while there is no file that names one. */
  dnsmasq(networkId: string): Promise<number | undefined>;
  /** What it has logged so far. */
  log(): string;
  dispose(): Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** Makes and starts one; resolves when its agents are alive. */
export async function startNeutrinoProcess(arguments_: readonly string[] = []): Promise<NeutrinoProcess> {
  const statePath = await mkdtemp(join(tmpdir(), 'neutrino-e2e-'));
  const host = `e2e-${randomBytes(4).toString('hex')}`;
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;
  let log = '';

  const request: NeutrinoProcess['request'] = async (method, path, body) => {
    const response = await fetch(`${url}${path}`, {
      method,
      signal: AbortSignal.timeout(20_000),
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Json) };
  };
  const made = async (name: string, plural: string, values: Json): Promise<Json> => {
    const { status, body } = await request('POST', `/v2.0/${plural}`, { [name]: values });
    if (status !== 201) throw new Error(`POST ${plural}: ${status} ${JSON.stringify(body)}`);
    return body[name] as Json;
  };
  const file = (networkId: string, name: string) => readFile(join(statePath, 'dhcp', networkId, name), 'utf8');
  const end = async (signal: NodeJS.Signals) => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  };

  const neutrino: NeutrinoProcess = {
    url,
    statePath,
    host,
    async start() {
      const command = [
        MAIN,
        'up',
        '--state-path',
        statePath,
        '--bind-port',
        String(port),
        '--host',
        host,
        ...arguments_,
      ];
      child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'pipe'] });
      child.stdout?.setEncoding('utf8').on('data', (text: string) => {
        log += text;
      });
      child.stderr?.setEncoding('utf8').on('data', (text: string) => {
        log += text;
      });
      const since = new Date(Date.now() - 1000).toISOString().slice(0, 19).replace('T', ' ');
      const agentsStarted = async () => {
        if (child?.exitCode !== null) throw new Error(`neutrino ended:\n${log}`);
        const answer = await request('GET', `/v2.0/agents?host=${host}`).catch(() => undefined);
        const agents = (answer?.body.agents ?? []) as { alive: boolean; started_at: string }[];
        return agents.filter((agent) => agent.alive && agent.started_at >= since).length >= 2 || undefined;
      };
      await waitFor('two agents that have just started', agentsStarted, { timeoutMs: 30_000 });
    },
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    request,
    async network(...cidrs) {
      const { id } = await made('network', 'networks', { name: 'e2e' });
      for (const given of cidrs) {
        const values = typeof given === 'string' ? { cidr: given, ip_version: 4 } : given;
        await made('subnet', 'subnets', { network_id: id, ...values });
      }
      return String(id);
    },
    port: async (networkId, values = {}) =>
      (await made('port', 'ports', {
        network_id: networkId,
        'binding:host_id': host,
        device_owner: 'compute:nova',
        device_id: 'e2e',
        ...values,
      })) as unknown as PortDocument,
    file,
    async dnsmasq(networkId) {
      const text = await file(networkId, 'pid').catch(() => '');
      return /^\d+\s*$/.test(text) ? Number(text) : undefined;
    },
    log: () => log,
    async dispose() {
      await end('SIGTERM');
      await run([process.execPath, MAIN, 'down', '--state-path', statePath, '--host', host], {
        okCodes: [0, 1],
        timeoutMs: 60_000,
      });
      await rm(statePath, { recursive: true, force: true });
    },
  };
  await neutrino.start();
  return neutrino;
}
