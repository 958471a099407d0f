import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../src/linux/run.ts';
import { removeUnlessKept } from './folder.ts';
import { type Ini, iniText } from './ini.ts';
import { Program, type ProgramSpec } from './program.ts';

const PROJECT = join(import.meta.dirname, '../..');
/** The environment of every process: Node's compile cache, shared with bin/neutrino, which halves the start time; no quotas. */
const ENV = {
  NODE_COMPILE_CACHE: join(PROJECT, '.node/compile-cache'),
  // One project creates everything, more than its default quotas allow.
  ...Object.fromEntries(
    ['network', 'subnet', 'port', 'security_group', 'security_group_rule', 'rbac_policy', 'router', 'floatingip'].map(
      (resource) => [`OS_QUOTAS__QUOTA_${resource.toUpperCase()}`, '-1'],
    ),
  ),
};
/** The log line of a server or agent that is ready; group 1: the URL of a server's API. */
const READY = /"ready: (?:API at (http:[^"\s]+))?/;

/** Returns the command line of Neutrino; `modules` are loaded first. */
export function neutrinoCommand(words: readonly string[], modules: readonly string[] = []): [string, ...string[]] {
  const imported = modules.flatMap((module) => ['--import', module]);
  const main = join(PROJECT, 'src/cli/main.ts');
  return [process.execPath, '--disable-warning=ExperimentalWarning', ...imported, main, ...words];
}

/** Writes INI files to a folder; returns the flags that name them, in this order. */
export function writeConfigFiles(folder: string, files: Readonly<Record<string, Ini>>): string[] {
  mkdirSync(folder, { recursive: true });
  return Object.entries(files).flatMap(([name, ini]) => {
    const file = join(folder, name);
    writeFileSync(file, iniText(ini), { mode: 0o600 });
    return ['--config-file', file];
  });
}

export interface NeutrinoSpec extends Pick<ProgramSpec, 'host' | 'user'> {
  /** Command and flags: `['up', '--no-agents']`. */
  readonly words: readonly string[];
  /** Folder for its output and files; default: a temporary one, which `killAll` removes. */
  readonly folder?: string | undefined;
  /** Its INI files by name, in the order of the command line. */
  readonly files?: Readonly<Record<string, Ini>>;
  /** Modules that are loaded first. */
  readonly modules?: readonly string[];
  /** Default: Node runs the sources (`neutrinoCommand`). */
  readonly launcher?: readonly [string, ...string[]];
}

/** A `neutrino ...` process. */
export class NeutrinoProcess extends Program {
  static readonly #temporary = new Map<NeutrinoProcess, string>();
  #before = { out: 0, log: 0 };

  constructor(spec: NeutrinoSpec) {
    const {
      words,
      folder = mkdtempSync(join(tmpdir(), 'neutrino-process-')),
      files = {},
      modules = [],
      ...more
    } = spec;
    const all = [...words, ...writeConfigFiles(folder, files)];
    const flag = words.findIndex((word) => word.startsWith('-'));
    const name = words.slice(0, flag === -1 ? undefined : flag).join(' ');
    const command = spec.launcher ? ([...spec.launcher, ...all] as const) : neutrinoCommand(all, modules);
    super({ ...more, name: spec.host ? `${name} on ${spec.host.name}` : name, folder, command, env: ENV });
    if (!spec.folder) NeutrinoProcess.#temporary.set(this, folder);
  }

  /** Creates and starts a process, without waiting until it is ready. */
  static start(...words: readonly string[]): NeutrinoProcess {
    const started = new NeutrinoProcess({ words });
    void started.start();
    return started;
  }

  /** The same as another user, which needs root. */
  static asUser(user: number, ...words: readonly string[]): NeutrinoProcess {
    const started = new NeutrinoProcess({ words, user });
    void started.start();
    return started;
  }

  /** Kills all processes with a temporary folder, and removes these folders. */
  static async killAll(): Promise<void> {
    const all = [...NeutrinoProcess.#temporary];
    NeutrinoProcess.#temporary.clear();
    await Promise.all(all.map(([one]) => one.kill().catch(() => undefined)));
    for (const [, folder] of all) removeUnlessKept(folder);
  }

  override start(): Promise<void> {
    this.#before = { out: this.stdout.length, log: this.stderr.length };
    return super.start();
  }

  /** Waits until a server or agent logs that it is ready; resolves to the URL of a server. */
  async ready(): Promise<string> {
    return (await this.logged(READY, { from: this.#before.log }))[1] ?? '';
  }

  /** Waits until `neutrino up` prints the URL of its API. */
  async url(): Promise<string> {
    return (await this.printed(/API +(http:\S+)/, { from: this.#before.out }))[1] ?? '';
  }

  /** Runs a command to its end; throws an error with its output unless its exit code is 0. */
  async runToEnd(): Promise<void> {
    await this.start();
    const code = await this.exitCode();
    if (code !== 0) throw new Error(`${this.name} ended with ${code}; its output:\n${this.lastWords()}`);
  }

  /** Starts it and waits until it is ready. */
  async startAndWait(): Promise<void> {
    await this.start();
    await this.ready();
  }
}

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a Neutrino command on this machine to its end. */
export async function neutrino(...words: readonly string[]): Promise<Ended> {
  const okCodes = Array.from({ length: 256 }, (_, code) => code);
  const settings = Object.entries(ENV).map(([name, value]) => `${name}=${value}`);
  const command = ['env', ...settings, ...neutrinoCommand(words)] as const;
  const { exitCode, stdout, stderr } = await run(command, { okCodes, timeoutMs: 60_000 });
  return { code: exitCode, stdout, stderr };
}
