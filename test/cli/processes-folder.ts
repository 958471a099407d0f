import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { NeutrinoProcess } from '../support/neutrino.ts';

/** What a test's neutron.conf says. */
export interface ConfFile {
  readonly transport?: string;
  readonly database?: string;
  /** Further lines of [DEFAULT]. */
  readonly more?: string;
}

/** The line of a server that is ready, with its URL. */
export const READY = /ready: API at (http:[^"\s]+)/;

export const status = async (url: string) => (await fetch(`${url}/v2.0/networks`)).status;

/** Whether exactly one line of a log holds the text. */
export const once = (log: string, text: string) => log.split('\n').filter((line) => line.includes(text)).length === 1;

/**
 * A folder for each test of the file, gone afterwards with all processes of the test. `conf` writes a neutron.conf into it (its
 * state path lies there too) and gives its words for the command line.
 */
export function eachInFolder(): {
  readonly path: () => string;
  readonly conf: (options: ConfFile) => string[];
} {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'neutrino-processes-'));
  });
  afterEach(async () => {
    await NeutrinoProcess.killAll();
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    path: () => folder,
    conf({ transport, database, more = '' }) {
      const file = join(folder, 'neutron.conf');
      const lines = [
        '[DEFAULT]',
        `state_path = ${join(folder, 'state')}`,
        ...(transport === undefined ? [] : [`transport_url = ${transport}`]),
        more,
        '[database]',
        ...(database === undefined ? [] : [`connection = ${database}`]),
      ];
      writeFileSync(file, lines.join('\n'));
      return ['--config-file', file];
    },
  };
}
