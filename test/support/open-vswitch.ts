import { mkdtempSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../src/linux/run.ts';
import { waitFor } from '../../src/time/wait.ts';
import { removeUnlessKept } from './folder.ts';
import { isProgram } from './is-program.ts';
import { type RunningProcess, startProcess } from './process.ts';

const PROGRAMS = ['ovsdb-tool', 'ovs-vsctl', 'ovs-appctl', 'ovsdb-server', 'ovs-vswitchd'];
const FOLDERS = ['/usr/bin', '/usr/sbin'];
const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema';
const START_MS = 30_000;

/** Why Open vSwitch cannot run here, for tests that skip with this reason; undefined if it can. */
export function openVswitchObstacle(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  const missing = PROGRAMS.filter((name) => !FOLDERS.some((folder) => isProgram(`${folder}/${name}`)));
  return missing.length === 0 ? undefined : `needs openvswitch-switch (${missing.join(', ')} missing)`;
}

/** An Open vSwitch with its own database, whose bridges forward in user space. */
export interface TestSwitch {
  /** For `ovsdb_connection`. */
  readonly connection: string;
  readonly folder: string;
  /** Runs ovs-vsctl and returns its output. */
  vsctl(...words: readonly string[]): Promise<string>;
  /** Adds a bridge that forwards as a switch does. */
  addBridge(name: string): Promise<void>;
  startDaemon(): Promise<void>;
  /** Kills ovs-vswitchd, or ends it in an orderly way. */
  stopDaemon(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  startDatabase(): Promise<void>;
  stopDatabase(): Promise<void>;
  dispose(): Promise<void>;
}

/** Starts an Open vSwitch in the namespace of this process, where there can be one at a time: waits for that of another test. */
export async function startOpenVswitch(): Promise<TestSwitch> {
  const lock = await onlyOne();
  const folder = mkdtempSync(join(tmpdir(), 'neutrino-ovs-'));
  const connection = `unix:${folder}/db.sock`;
  const env = { PATH: `${process.env.PATH}:/usr/sbin`, OVS_RUNDIR: folder, OVS_LOGDIR: folder, OVS_DBDIR: folder };
  let database: RunningProcess | undefined;
  let daemon: RunningProcess | undefined;
  const start = (...command: [string, ...string[]]) =>
    startProcess({ command, stdout: `${folder}/output`, stderr: `${folder}/output`, env });
  const vsctl = async (...words: readonly string[]) =>
    (await run(['ovs-vsctl', `--db=${connection}`, '--timeout=20', ...words])).stdout.trim();
  const made: TestSwitch = {
    connection,
    folder,
    vsctl,
    async addBridge(name) {
      await vsctl('add-br', name, '--', 'set', 'bridge', name, 'datapath_type=netdev', 'fail_mode=standalone');
    },
    async startDatabase() {
      database = await start('ovsdb-server', `${folder}/conf.db`, `--remote=p${connection}`, '--log-file');
      await waitFor(
        'ovsdb-server',
        () =>
          vsctl('--no-wait', 'init').then(
            () => true,
            () => false,
          ),
        START_MS,
      );
    },
    async stopDatabase() {
      await database?.signal('SIGTERM');
      await database?.ended(START_MS);
    },
    async startDaemon() {
      daemon = await start('ovs-vswitchd', connection, '--disable-system', '--log-file');
      // Waits until the daemon has carried it out.
      await vsctl('set', 'open_vswitch', '.', 'other_config:neutrino-test=1');
    },
    async stopDaemon(signal) {
      await daemon?.signal(signal);
      await daemon?.ended(START_MS);
    },
    async dispose() {
      try {
        // The devices of bridges and ports outlive the daemon otherwise.
        if (await daemon?.isRunning())
          await run(['ovs-appctl', `--target=${folder}/ovs-vswitchd.${daemon?.pid}.ctl`, 'exit', '--cleanup']);
        await daemon?.ended(START_MS);
        await made.stopDatabase();
      } finally {
        lock.close();
        removeUnlessKept(folder);
      }
    },
  };
  try {
    await run(['ovsdb-tool', 'create', `${folder}/conf.db`, SCHEMA]);
    await made.startDatabase();
    await made.startDaemon();
  } catch (error) {
    await made.dispose();
    throw error;
  }
  return made;
}

/** All user space datapaths of a namespace share the device ovs-netdev. An abstract socket belongs to the namespace, and ends with its process. */
async function onlyOne(): Promise<Server> {
  const attempt = () =>
    new Promise<Server | undefined>((resolve) => {
      const server = createServer();
      server.once('error', () => resolve(undefined));
      server.listen('\0neutrino-test-open-vswitch', () => resolve(server));
    });
  const server = await waitFor('the Open vSwitch of another test to end', attempt, 100_000);
  server.unref();
  return server;
}
