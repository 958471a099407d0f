import { readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LauncherProject } from './launcher-project.ts';

const CI = 'npm ci --ignore-scripts --omit=dev --no-audit --no-fund --no-update-notifier --loglevel=error';

let project: LauncherProject;
beforeEach(() => {
  project = new LauncherProject();
});
afterEach(() => project.remove());

describe('bin/neutrino on a fresh clone', () => {
  it('installs the packages, then runs the command line with all arguments; the next time, it installs nothing', async () => {
    const first = await project.start('config', 'show', 'a b');
    expect(first).toMatchObject({ code: 0, stdout: '["config","show","a b"]\n' });
    expect(first.stderr).toContain('npm packages ...');
    expect(project.calls()).toEqual([CI]);

    expect(await project.start('--version')).toEqual({ code: 0, stdout: '["--version"]\n', stderr: '' });
    expect(project.calls()).toEqual([]);
  });

  it('first installs Node if the one in PATH is older than 24, and runs npm and the command line with it', async () => {
    project.useOldNode();
    project.write('src/cli/main.ts', 'console.log(process.env.PATH);');
    const { code, stdout, stderr } = await project.start();
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('this one is 20.1.0') });
    expect(stdout.split(':')[0]).toBe(`${project.root}/.node/bin`);
    const [node, packages, ...more] = project.calls();
    expect(node).toMatch(new RegExp(`^npm install --prefix ROOT/.node/installing .*node-linux-${process.arch}@24 `));
    expect([packages, more]).toEqual([CI, []]);

    expect(await project.start()).toMatchObject({ code: 0, stderr: '' });
    expect(project.calls()).toEqual([]);
  });

  it('repairs an incomplete installation of Node', async () => {
    project.useOldNode();
    project.write(`.node/installing/node_modules/node-linux-${process.arch}/bin/node`, 'half');
    expect(await project.start()).toMatchObject({ code: 0 });
    expect(project.calls()).toHaveLength(2);
  });
});

describe('npm start', () => {
  it('forwards SIGTERM to Neutrino and returns its exit code', async () => {
    await project.start();
    project.write(
      'src/cli/main.ts',
      "setInterval(() => {}, 1000); process.on('SIGTERM', () => { console.log('stopped'); process.exit(3); }); console.log('up');",
    );
    expect(await project.startAndTerminate('start')).toMatchObject({ code: 3, stdout: 'up\nstopped\n' });
  });
});

describe('npm packages', () => {
  it('that cannot be installed are reported with the output of npm and what to do, and retried the next time', async () => {
    project.program('npm', project.npm('mkdir -p node_modules/half; echo "npm error network is down" >&2; exit 7'));
    const failed = await project.start('--version');
    expect(failed).toMatchObject({ code: 1, stdout: '' });
    expect(failed.stderr).toContain('exit code 7\n    npm error network is down\n');
    expect(failed.stderr).toContain('.node/setup.log');
    expect(failed.stderr).toContain('what to do: check the network');

    project.program('npm', project.npm());
    expect(await project.start('--version')).toMatchObject({ code: 0 });
  });

  it('are reinstalled if the setup was killed', async () => {
    project.program('npm', project.npm('mkdir -p node_modules/one; kill -9 $PPID'));
    expect((await project.start()).code).not.toBe(0);
    project.calls();
    project.program('npm', project.npm());
    expect(await project.start()).toMatchObject({ code: 0 });
    expect(project.calls()).toEqual([CI]);
  });

  it('are reinstalled if the lock file has changed', async () => {
    await project.start();
    project.write('package-lock.json', project.read('package-lock.json').replace('1.0.0', '1.0.1'));
    project.calls();
    await project.start();
    expect(project.calls()).toEqual([CI]);
  });

  it('are not installed through a link to the node_modules of another folder, which npm would empty', async () => {
    project.write('elsewhere/one/package.json', '{}');
    symlinkSync(join(project.root, 'elsewhere'), join(project.root, 'node_modules'));
    expect(await project.start('--version')).toMatchObject({ code: 0, stdout: '["--version"]\n' });
    expect(project.calls()).toEqual([]);

    project.useOldNode();
    expect(await project.start('--version')).toMatchObject({ code: 0 });
    expect(project.calls()).toHaveLength(1);
  });

  it('are reinstalled if node_modules is missing', async () => {
    await project.start();
    rmSync(join(project.root, 'node_modules'), { recursive: true });
    project.calls();
    await project.start();
    expect(project.calls()).toEqual([CI]);
  });

  const byHand = (packages: Record<string, { version: string }>) => {
    for (const path of Object.keys(packages)) project.write(`${path}/package.json`, '{}');
    project.write('node_modules/.package-lock.json', JSON.stringify({ packages }));
  };

  it('that a developer has installed manually are used unchanged', async () => {
    byHand({ 'node_modules/one': { version: '1.0.0' }, 'node_modules/tool': { version: '2.0.0' } });
    expect(await project.start()).toMatchObject({ code: 0, stderr: '' });
    expect(project.calls()).toEqual([]);
    expect(project.read('node_modules/.neutrino-installed')).toMatch(/^dev [0-9a-f]{64}\n$/);
  });

  it('that a developer has installed manually in other versions are reinstalled', async () => {
    byHand({ 'node_modules/one': { version: '0.9.0' }, 'node_modules/tool': { version: '2.0.0' } });
    await project.start();
    expect(project.calls()).toEqual([CI]);
  });

  it('are installed once if two start simultaneously', async () => {
    project.program('npm', project.npm('sleep 1; mkdir -p node_modules/one'));
    const both = await Promise.all([project.start('1'), project.start('2')]);
    expect(both.map(({ code, stdout }) => [code, stdout])).toEqual([
      [0, '["1"]\n'],
      [0, '["2"]\n'],
    ]);
    expect(project.calls()).toEqual([CI]);
  });

  it('for development are added to the existing ones', async () => {
    await project.start();
    project.calls();
    project.write('test/setup/run-stages.ts', 'console.log("stages");');
    project.write('bin/neutrino', readFileSync(join(import.meta.dirname, '../../bin/neutrino-test'), 'utf8'));
    expect(await project.start()).toMatchObject({ code: 0, stdout: 'stages\n' });
    expect(project.calls()).toEqual([
      'npm install --no-save --ignore-scripts --include=dev --no-audit --no-fund --no-update-notifier --loglevel=error',
    ]);
  });
});

describe.skipIf(process.getuid?.() !== 0)('Debian packages (needs root)', () => {
  const install =
    'apt-get -y -q --no-install-recommends -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 install fake-one fake-two';
  const aptGet = (onInstall: string) => {
    project.program('dpkg', `echo "dpkg $*" >>${project.root}/calls`);
    project.program(
      'apt-get',
      `echo "apt-get $*" >>${project.root}/calls; case "$*" in *install*) ${onInstall} ;; esac`,
    );
  };
  const working = () =>
    ['one', 'two'].map((name) => `cp ${project.programs}/dpkg ${project.programs}/neutrino-fake-${name};`).join(' ');

  beforeEach(async () => {
    await project.start();
    project.calls();
    project.write(
      'bin/setup/debian-packages',
      ['# comment', 'neutrino-fake-one fake-one up', 'neutrino-fake-two fake-two up', 'sh dash up', 'x y test'].join(
        '\n',
      ),
    );
  });

  it('are installed before `up`, quietly, and not again', async () => {
    aptGet(`echo noise; ${working()}`);
    const first = await project.start('up');
    expect(first).toMatchObject({ code: 0, stdout: '["up"]\n' });
    expect(first.stderr).toContain('Debian packages fake-one fake-two ...');
    expect(first.stderr).not.toContain('noise');
    expect(project.read('.node/setup.log')).toContain('noise');
    expect(project.calls().filter((call) => !call.endsWith(' update'))).toEqual([install]);
    expect(await project.start('up')).toMatchObject({ code: 0, stderr: '' });
  });

  it('are not installed by commands that do not need them', async () => {
    aptGet('exit 1');
    for (const words of [['--version'], ['config', 'show'], ['up', '--help'], ['up', '--no-agents']]) {
      expect(await project.start(...words)).toMatchObject({ code: 0, stderr: '' });
    }
    expect(project.calls()).toEqual([]);
  });

  it('are retried with updated package lists, after an interrupted dpkg has been repaired', async () => {
    aptGet(
      `if [ -e ${project.root}/updated ]; then ${working()} else exit 100; fi ;; *update*) touch ${project.root}/tried`,
    );
    project.program('dpkg', `echo "dpkg $*" >>${project.root}/calls; touch ${project.root}/updated`);
    expect(await project.start('up')).toMatchObject({ code: 0, stdout: '["up"]\n' });
    const calls = project.calls();
    expect(calls.filter((call) => call === install)).toHaveLength(2);
    expect(calls).toContain('dpkg --configure -a');
    expect(calls.at(-2)).toMatch(/ update$/);
  });

  it('that cannot be installed are reported with the last output of apt-get and what to do', async () => {
    aptGet('echo "E: Unable to locate package fake-one"; exit 100');
    const { code, stdout, stderr } = await project.start('up');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('exit code 100\n    E: Unable to locate package fake-one\n');
    expect(stderr).toContain('apt-get install fake-one fake-two');
    expect(stderr).toContain('bin/neutrino up --no-agents');
  });

  it('with a service are installed without starting it', async () => {
    project.write('bin/setup/debian-packages', 'neutrino-fake-one fake-one up fake.service\n');
    project.write(
      'src/cli/main.ts',
      "import { existsSync } from 'node:fs'; console.log(existsSync('/usr/sbin/policy-rc.d'));",
    );
    aptGet(`/usr/sbin/policy-rc.d; echo "policy $?" >>${project.root}/calls; ${working()}`);
    project.program('systemctl', `echo "systemctl $*" >>${project.root}/calls`);
    expect(await project.startWithOwnSbin('up')).toMatchObject({ code: 0, stdout: 'false\n' });
    expect(project.calls().slice(-2)).toEqual(['policy 101', 'systemctl disable fake.service']);
  });

  it('of stock Neutron are installed only by its tests, which are skipped if they are not available', async () => {
    project.write('bin/setup/debian-packages', 'neutrino-fake-one fake-one interop\nneutrino-fake-two fake-two test\n');
    project.write('test/setup/run-stages.ts', 'console.log(process.argv.slice(2).join(" "));');
    aptGet(`case "$*" in *fake-one*) exit 100 ;; esac; ${working()} rm -f ${project.programs}/neutrino-fake-one`);
    const become = (name: string) =>
      project.write('bin/neutrino', readFileSync(join(import.meta.dirname, '../../bin', name), 'utf8'));
    become('neutrino-test');
    expect(await project.start()).toMatchObject({ code: 0 });
    expect(project.calls().filter((call) => call.includes('fake-one'))).toEqual([]);
    become('neutrino-interop');
    const { code, stdout, stderr } = await project.start('-t', 'lease');
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'test/interop -t lease\n' });
    expect(stderr).toContain('without these packages the tests with stock Neutron are skipped');
  });

  it('of Keystone are installed for all tests, which run without them if they are not available', async () => {
    project.write(
      'bin/setup/debian-packages',
      'neutrino-fake-one fake-one keystone\nneutrino-fake-two fake-two test\n',
    );
    project.write('test/setup/run-stages.ts', 'console.log(process.argv.slice(2).join(" "));');
    aptGet(`case "$*" in *fake-one*) exit 100 ;; esac; ${working()} rm -f ${project.programs}/neutrino-fake-one`);
    project.write('bin/neutrino', readFileSync(join(import.meta.dirname, '../../bin/neutrino-test'), 'utf8'));
    const { code, stdout, stderr } = await project.start('test/auth');
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'test/auth\n' });
    expect(stderr).toContain('without these packages the tests with Keystone are skipped');
  });

  it('that apt-get claims to have installed are verified', async () => {
    aptGet('true');
    const { code, stderr } = await project.start('up');
    expect(code).toBe(1);
    expect(stderr).toContain(
      'still missing after apt-get install fake-one fake-two: neutrino-fake-one, neutrino-fake-two',
    );
  });
});

describe('package-lock.json', () => {
  it('contains every optional package, without which `npm ci` rejects it', () => {
    const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
      packages: Record<string, { optionalDependencies?: Record<string, string> }>;
    };
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) => !packages[`node_modules/${name}`] && !packages[`${path}/node_modules/${name}`],
      ),
    );
    expect(missing).toEqual([]);
  });

  it('contains no registry', () => {
    expect(readFileSync('package-lock.json', 'utf8')).not.toContain('"resolved"');
  });
});
