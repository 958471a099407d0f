import { spawn } from 'node:child_process';
import { appendFileSync, closeSync, openSync, readFileSync, statSync, truncateSync } from 'node:fs';

const MAX_LOG_BYTES = 1024 * 1024;
/** Of what a failed program said: npm names the cause first, apt-get last. */
const FIRST_LINES = 6;
const LAST_LINES = 10;

/** Something that could not be set up; the message is for the operator and says what to do. */
export class SetupError extends Error {}

/** Tells on stderr in plain words what is being set up, and keeps what the programs print in a log file. */
export class Progress {
  #log;
  #announced = false;
  #child;

  constructor(log) {
    this.#log = log;
    try {
      if (statSync(log).size > MAX_LOG_BYTES) truncateSync(log);
    } catch {
      // No log yet.
    }
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
      process.on(signal, () => {
        this.#child?.kill('SIGTERM');
        this.say(`interrupted by ${signal}; what is half done is done again next time.`);
        process.exit(1);
      });
    }
  }

  say(text) {
    process.stderr.write(`neutrino: ${text}\n`);
  }

  /** Runs one step, with its name before and its time after. */
  async step(name, work) {
    if (!this.#announced) this.say(`setting up what is missing (details: ${this.#log})`);
    this.#announced = true;
    const begin = Date.now();
    const seconds = () => Math.round((Date.now() - begin) / 1000);
    this.say(`  ${name} ...`);
    const timer = setInterval(() => this.say(`    still at it after ${seconds()} s`), 20_000);
    try {
      await work();
    } finally {
      clearInterval(timer);
    }
    this.say(`    done in ${seconds()} s`);
  }

  finish() {
    if (this.#announced) this.say('all set up.');
  }

  /**
   * Runs a program with its output into the log. Throws SetupError with its words and `advice` when it cannot start,
   * fails, or takes longer than `seconds`.
   */
  async run(command, { cwd, env = {}, seconds = 900, advice }) {
    const line = command.join(' ');
    appendFileSync(this.#log, `\n$ ${line}   (${new Date().toISOString()})\n`);
    const offset = statSync(this.#log).size;
    const output = openSync(this.#log, 'a');
    let why;
    try {
      why = await new Promise((resolve) => {
        const child = spawn(command[0], command.slice(1), {
          cwd,
          env: { ...process.env, ...env },
          stdio: ['ignore', output, output],
        });
        this.#child = child;
        const timer = setTimeout(() => {
          child.kill('SIGKILL');
          resolve(`did not end within ${seconds} s`);
        }, seconds * 1000);
        child.on('error', (error) => {
          clearTimeout(timer);
          resolve(error.code === 'ENOENT' ? 'no such program' : error.message);
        });
        child.on('close', (code, signal) => {
          clearTimeout(timer);
          resolve(code === 0 ? undefined : signal ? `ended by ${signal}` : `exit code ${code}`);
        });
      });
    } finally {
      this.#child = undefined;
      closeSync(output);
    }
    if (why === undefined) return;
    const printed = readFileSync(this.#log).subarray(offset).toString('utf8').trim().split('\n');
    const many = printed.length > FIRST_LINES + LAST_LINES;
    const shown = many ? [...printed.slice(0, FIRST_LINES), '...', ...printed.slice(-LAST_LINES)] : printed;
    const words = shown.map((one) => `    ${one}`).join('\n');
    throw new SetupError(`${line}: ${why}\n${words}\n  all it said: ${this.#log}\n  what to do: ${advice}`);
  }
}
