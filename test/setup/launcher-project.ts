import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const LOCK = {
  packages: {
    '': {},
    'node_modules/one': { version: '1.0.0' },
    'node_modules/tool': { version: '2.0.0', dev: true },
    'node_modules/elsewhere': { version: '3.0.0', optional: true },
  },
};

export interface Started {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunDetails {
  readonly path?: string;
  readonly onOutput?: (child: ChildProcess) => void;
}

/**
 * A separate project with the real bin/ and scripts instead of npm, apt-get and so on, which record how they are called and run
 * `onNpm` and similar scripts (sh; `$*`: their arguments).
 */
export class LauncherProject {
  readonly root = mkdtempSync(join(tmpdir(), 'neutrino-launcher-'));
  /** Folder of the stand-ins, first in PATH. */
  readonly programs = join(this.root, 'programs');
  readonly #calls = join(this.root, 'calls');

  constructor() {
    cpSync(join(import.meta.dirname, '../../bin'), join(this.root, 'bin'), { recursive: true });
    for (const folder of ['programs', 'src/cli']) mkdirSync(join(this.root, folder), { recursive: true });
    this.write('package.json', '{}');
    this.write('package-lock.json', JSON.stringify(LOCK));
    this.write('calls', '');
    this.write('bin/setup/debian-packages', '# none\n');
    this.write('src/cli/main.ts', 'console.log(JSON.stringify(process.argv.slice(2)));');
    this.program('npm', this.npm());
    this.program('node', `exec ${process.execPath} "$@"`);
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), text);
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), 'utf8');
  }

  /** A stand-in for a program; `script` is sh. */
  program(name: string, script: string): void {
    this.write(`programs/${name}`, `#!/bin/sh\n${script}\n`);
    chmodSync(join(this.programs, name), 0o755);
  }

  /** A stand-in for npm that runs `onCi` to install packages; by default, it installs them. */
  npm(onCi = 'mkdir -p node_modules/one && echo "{}" >node_modules/one/package.json'): string {
    return `
      [ "$1 $2" = "config get" ] && { echo /etc/npmrc; exit 0; }
      echo "npm $*" >>${this.#calls}
      case "$1" in
        ci) ${onCi} ;;
        install) case "$*" in *--prefix*)
          folder=$3/node_modules/node-linux-${process.arch}/bin
          mkdir -p "$folder"
          printf '#!/bin/sh\\nexec ${process.execPath} "$@"\\n' >"$folder/node"
          chmod +x "$folder/node" ;; esac ;;
      esac`;
  }

  /** Makes the Node in PATH report an old version. */
  useOldNode(): void {
    this.program('node', `[ "$1" = --version ] && { echo v20.1.0; exit; }\nexec ${process.execPath} "$@"`);
  }

  /** Returns the calls of stand-ins after the last call, one line each, with `ROOT` for the project's folder. */
  calls(): readonly string[] {
    const lines = this.read('calls').replaceAll(this.root, 'ROOT').split('\n').filter(Boolean);
    this.write('calls', '');
    return lines;
  }

  start(...words: string[]): Promise<Started> {
    return this.#run([join(this.root, 'bin/neutrino'), ...words]);
  }

  /** Starts it with an empty /usr/sbin. Needs root. */
  startWithOwnSbin(...words: string[]): Promise<Started> {
    const script = 'mount -t tmpfs tmpfs /usr/sbin && exec "$0" "$@"';
    return this.#run(['unshare', '--mount', 'sh', '-c', script, join(this.root, 'bin/neutrino'), ...words]);
  }

  /** Runs a script of package.json with the real npm, and sends npm SIGTERM when the script has printed something. */
  startAndTerminate(script: string): Promise<Started> {
    this.write('package.json', readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'));
    return this.#run(['npm', '--prefix', this.root, 'run', '--silent', script], {
      path: `${process.env.PATH}`,
      onOutput: (child) => child.kill('SIGTERM'),
    });
  }

  async #run(
    [program, ...words]: readonly [string, ...string[]],
    { path = `${this.programs}:/usr/bin:/bin`, onOutput }: RunDetails = {},
  ): Promise<Started> {
    const child = spawn(program, words, {
      env: { HOME: this.root, PATH: path },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 50_000,
    });
    if (onOutput) child.stdout.once('data', () => onOutput(child));
    const [stdout, stderr] = [collected(child.stdout), collected(child.stderr)];
    await once(child as ChildProcess, 'close');
    return { code: child.exitCode, stdout: stdout(), stderr: stderr() };
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

function collected(stream: NodeJS.ReadableStream): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  return () => text;
}
