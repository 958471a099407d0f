import { accessSync, constants, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { SetupError } from './progress.mjs';

const LISTS = '/var/lib/apt/lists';
const POLICY = '/usr/sbin/policy-rc.d';

/** Which lines of the list a purpose needs. */
const NEEDS = { none: [], up: ['up'], test: ['up', 'test'], interop: ['up', 'test'] };

/** Lines that a purpose does without where they cannot be installed, with what is then left out. */
const OPTIONAL = {
  keystone: { for: ['test', 'interop'], without: 'the tests with Keystone are skipped' },
  interop: { for: ['interop'], without: 'the tests with stock Neutron are skipped' },
  clients: { for: ['interop'], without: 'some tests with clients of Neutron are skipped' },
};

/** The lines of the list of commands that are needed for one of `purposes`, as { command, package, service }. */
function neededTools(root, purposes) {
  return readFileSync(`${root}/bin/setup/debian-packages`, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , needed]) => purposes.includes(needed))
    .map(([command, name, , service]) => ({ command, package: name, service }));
}

function isInPath(command) {
  return process.env.PATH.split(':').some((folder) => {
    try {
      accessSync(`${folder}/${command}`, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Installs the Debian packages of commands that are missing. Without root it does nothing: the commands say what they miss.
 * Packages of Keystone and stock Neutron are not available everywhere: without them their tests are skipped, by name.
 */
export async function setUpDebianPackages(root, purpose, progress) {
  await installMissing(root, NEEDS[purpose], progress);
  for (const [name, { for: purposes, without }] of Object.entries(OPTIONAL)) {
    if (!purposes.includes(purpose)) continue;
    try {
      await installMissing(root, [name], progress);
    } catch (error) {
      if (!(error instanceof SetupError)) throw error;
      progress.say(`${error.message}\n  without these packages ${without}`);
    }
  }
}

async function installMissing(root, purposes, progress) {
  const missing = () => neededTools(root, purposes).filter(({ command }) => !isInPath(command));
  const wanted = [...new Set(missing().flatMap((tool) => tool.package.split(',')))];
  const services = missing().flatMap((tool) => tool.service ?? []);
  if (wanted.length === 0 || process.getuid() !== 0) return;
  const names = wanted.join(' ');
  const alone =
    purposes.length === 1 && purposes[0] === 'up'
      ? '; the API alone runs without them: bin/neutrino up --no-agents'
      : '';
  const advice = `see that \`apt-get install ${names}\` works, or install these programs in another way, then start again${alone}`;
  if (!isInPath('apt-get')) {
    const commands = missing().map((tool) => tool.command);
    throw new SetupError(
      `missing: ${commands.join(', ')} (Debian packages ${names}), and there is no apt-get\n  what to do: ${advice}`,
    );
  }
  await progress.step(`Debian packages ${names}`, () =>
    withoutStarting(progress, services, () => install(progress, wanted, advice)),
  );
  const still = missing();
  if (still.length > 0) {
    const commands = still.map((tool) => tool.command).join(', ');
    throw new SetupError(`still missing after apt-get install ${names}: ${commands}\n  what to do: ${advice}`);
  }
}

async function install(progress, packages, advice) {
  if (!haveLists()) await aptGet(progress, ['update'], advice);
  try {
    await aptGet(progress, ['install', ...packages], advice);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    // Lists older than the mirror, or a dpkg that was interrupted half way: both are mended without a question.
    progress.say('    that did not work; trying once more with fresh package lists');
    await progress.run(['dpkg', '--configure', '-a'], { env: QUIET, advice }).catch(() => undefined);
    await aptGet(progress, ['update'], advice);
    await aptGet(progress, ['install', ...packages], advice);
  }
}

/**
 * The tests run private databases and brokers; the machine's own services must not start because their packages are there.
 * policy-rc.d is how a machine says so while packages are installed. One of ours left by a killed setup goes next time.
 */
async function withoutStarting(progress, services, work) {
  if (services.length === 0) return work();
  const ours = '#!/bin/sh\n# Neutrino installs packages\nexit 101\n';
  const remove = () => {
    if (existsSync(POLICY) && readFileSync(POLICY, 'utf8') === ours) rmSync(POLICY);
  };
  process.once('exit', remove);
  remove();
  if (!existsSync(POLICY)) writeFileSync(POLICY, ours, { mode: 0o755 });
  try {
    await work();
    if (!isInPath('systemctl')) return;
    for (const service of services) {
      // Not at the next boot either; without a running systemd there is nothing to say.
      await progress.run(['systemctl', 'disable', service], { advice: '' }).catch(() => undefined);
    }
  } finally {
    remove();
  }
}

const QUIET = { DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_MODE: 'l', LC_ALL: 'C.UTF-8' };

function aptGet(progress, args, advice) {
  const options = ['-y', '-q', '--no-install-recommends', '-o', 'Dpkg::Use-Pty=0', '-o', 'DPkg::Lock::Timeout=300'];
  return progress.run(['apt-get', ...options, ...args], { env: QUIET, advice });
}

function haveLists() {
  try {
    return readdirSync(LISTS).some((name) => name.includes('_Packages'));
  } catch {
    return false;
  }
}
