import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PortDocument } from '../../src/rpc/documents.ts';
import { waitFor } from '../../src/time/wait.ts';
import { ApiClient, type Json } from '../support/api-client.ts';
import { removeUnlessKept } from '../support/folder.ts';
import { freePorts } from '../support/free-ports.ts';
import { NeutrinoProcess, neutrino } from '../support/neutrino.ts';

/** `neutrino up` on this machine, with its own state path, port and host name. */
export interface Up {
  readonly process: NeutrinoProcess;
  readonly api: ApiClient;
  readonly statePath: string;
  readonly host: string;
  /** Restarts it; resolves when its agents are alive. */
  start(): Promise<void>;
  /** Creates a port as nova-compute does for a machine on this host. */
  port(networkId: string, values?: Json): Promise<PortDocument>;
  /** Returns the contents of a file in the network's folder. */
  file(networkId: string, name: string): Promise<string>;
  /** Returns the pid of the network's dnsmasq; undefined if there is no pid file. */
  dnsmasq(networkId: string): Promise<number | undefined>;
  dispose(): Promise<void>;
}

/** Starts one; resolves when its agents are alive. Needs root. */
export async function startUp(): Promise<Up> {
  const folder = mkdtempSync(join(tmpdir(), 'neutrino-e2e-'));
  const statePath = join(folder, 'state');
  const host = `e2e-${randomBytes(4).toString('hex')}`;
  const [port] = await freePorts(1);
  const api = new ApiClient(`http://127.0.0.1:${port}`);
  const words = ['up', '--state-path', statePath, '--host', host, '--bind-port', String(port)];
  const process = new NeutrinoProcess({ words, folder });
  const file = (networkId: string, name: string) => readFile(join(statePath, 'dhcp', networkId, name), 'utf8');

  const up: Up = {
    ...{ process, api, statePath, host, file },
    async start() {
      // Rounded down to a second, and before it all the same.
      const since = new Date(Date.now() - 1000).toISOString().slice(0, 19).replace('T', ' ');
      await process.start();
      const agentsStarted = async () => {
        if (!(await process.isRunning())) throw new Error(`neutrino up ended:\n${process.lastWords()}`);
        const agents = await api.agents(`host=${host}`).catch(() => []);
        return agents.filter((agent) => agent.alive && agent.started_at >= since).length >= 2 || undefined;
      };
      await waitFor('two agents that have just started', agentsStarted, { timeoutMs: 30_000 });
    },
    port: (networkId, values = {}) => api.machinePort(networkId, host, values),
    async dnsmasq(networkId) {
      const text = await file(networkId, 'pid').catch(() => '');
      return /^\d+\s*$/.test(text) ? Number(text) : undefined;
    },
    async dispose() {
      await process.shutDown();
      await neutrino('down', '--state-path', statePath, '--host', host);
      removeUnlessKept(folder);
    },
  };
  try {
    await up.start();
  } catch (error) {
    await up.dispose();
    throw error;
  }
  return up;
}
