import { join } from 'node:path';
import { Program } from '../../support/program.ts';
import type { Cloud } from './cloud.ts';
import type { Result } from './results.ts';

/** GOPATH of Debian's packages. */
const GOPATH = '/usr/share/gocode';
const NETWORKING = 'github.com/gophercloud/gophercloud/acceptance/openstack/networking/v2';
/** Packages with tests of other projects' services. */
const OTHER_SERVICES = new Set(['fwaas', 'fwaas_v2', 'lbaas', 'lbaas_v2', 'vpnaas']);
const RUN_MS = 15 * 60_000;

interface Event {
  readonly Action: string;
  readonly Package?: string;
  readonly Test?: string;
  readonly Output?: string;
}

/** Runs gophercloud's acceptance tests of Networking v2, as the administrator. */
export async function runGophercloud({ env, folder, externalNetwork }: Cloud): Promise<readonly Result[]> {
  const go = async (name: string, ...words: readonly string[]): Promise<Program> => {
    const program = new Program({
      name,
      command: ['setpriv', '--pdeathsig=KILL', '/usr/bin/go', ...words],
      folder,
      env: {
        ...env,
        OS_DOMAIN_NAME: 'Default',
        OS_EXTGW_ID: externalNetwork,
        OS_POOL_NAME: 'public',
        OS_PORTFORWARDING_ENVIRONMENT: 'true',
        // Required, and used by tests of machines only.
        OS_IMAGE_ID: 'none',
        OS_FLAVOR_ID: 'small',
        OS_FLAVOR_ID_RESIZE: 'large',
        GOPATH,
        GO111MODULE: 'off',
        GOCACHE: join(folder, 'go-cache'),
        GOFLAGS: '-p=1',
      },
    });
    await program.start();
    await program.exitCode(RUN_MS);
    return program;
  };
  const tags = ['-tags', 'acceptance networking'];
  const listed = await go('go-list', 'list', ...tags, `${NETWORKING}/...`);
  const packages = listed.stdout
    .split('\n')
    .filter((name) => name !== '' && !OTHER_SERVICES.has(name.split('/').at(-1) ?? ''));
  if (packages.length === 0) throw new Error(`go lists no packages:\n${listed.lastWords()}`);
  return parseGo((await go('go-test', 'test', ...tags, '-vet=off', '-count=1', '-json', ...packages)).stdout);
}

/** Reads the output of `go test -json`. */
function parseGo(output: string): readonly Result[] {
  const printed = new Map<string, string>();
  const results: Result[] = [];
  const outcomes: Readonly<Record<string, Result['outcome']>> = { pass: 'passed', fail: 'failed', skip: 'skipped' };
  for (const line of output.split('\n')) {
    if (!line.startsWith('{')) continue;
    const { Action, Package = '', Test, Output = '' } = JSON.parse(line) as Event;
    if (Test === undefined) continue;
    const test = `${Package.slice(NETWORKING.length + 1).replace(/^extensions\/?/, '')} ${Test}`.trim();
    if (Action === 'output') printed.set(test, (printed.get(test) ?? '') + Output);
    const outcome = outcomes[Action];
    if (outcome === undefined) continue;
    if (outcome === 'passed') results.push({ test, outcome });
    else results.push({ test, outcome, why: reason(outcome, printed.get(test) ?? '') });
  }
  return results;
}

/** Returns what a test said last before it was skipped, or all that it said before it failed. */
function reason(outcome: Result['outcome'], printed: string): string {
  if (outcome === 'failed') return printed.slice(-2000);
  const said = printed
    .split('\n')
    .flatMap((line) => /^ +\w+\.go:\d+: (?!Attempting|Successfully|Deleted)(.*)/.exec(line)?.[1] ?? []);
  return said.at(-1) ?? '';
}
