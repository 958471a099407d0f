import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

/**
 * Runs npm quietly, under the settings it has with the Node that was here first: npm looks for its global settings beside the
 * Node it runs on, and with the one in .node/ it would miss those (certificates, mirrors, proxies).
 */
export function npm(progress, root, args, { advice }) {
  const quiet = ['--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error'];
  const env = {
    npm_config_globalconfig: globalSettings(root),
    // What an outer `npm start` says of its own folder would mislead this one.
    npm_config_local_prefix: undefined,
    npm_config_prefix: undefined,
  };
  return progress.run(['npm', ...args, ...quiet], { cwd: root, env, advice });
}

function globalSettings(root) {
  const PATH = process.env.PATH.split(':')
    .filter((folder) => folder !== `${root}/.node/bin`)
    .join(':');
  try {
    const options = { cwd: root, env: { ...process.env, PATH }, timeout: 30_000, stdio: ['ignore', 'pipe', 'ignore'] };
    return execFileSync('npm', ['config', 'get', 'globalconfig'], options).toString('utf8').trim();
  } catch {
    // npm itself is missing or broken: running it says so.
    return undefined;
  }
}

/**
 * Makes node_modules what package-lock.json says; `kind` is run (without development packages) or dev. The stamp, written
 * last, says what is there: without it, or with another hash than the lock file's, the packages are installed anew. A link is
 * left as it is, because npm would empty the folder that it points to.
 */
export async function setUpPackages(root, kind, progress) {
  if (isLink(`${root}/node_modules`)) return;
  const lock = readFileSync(`${root}/package-lock.json`);
  const hash = createHash('sha256').update(lock).digest('hex');
  const stamp = readStamp(root);
  if (stamp.hash === hash && (stamp.kind === 'dev' || stamp.kind === kind)) return;

  const installed = installedByHand(root, JSON.parse(lock.toString('utf8')));
  if (installed === 'dev' || installed === kind) {
    writeStamp(root, installed, hash);
    return;
  }
  const advice = 'check the network and that package.json and package-lock.json belong together, then start again';
  await progress.step(kind === 'dev' ? 'npm packages, with those for development' : 'npm packages', async () => {
    const which = kind === 'dev' ? '--include=dev' : '--omit=dev';
    if (stamp.hash === hash) {
      // Only the development packages are missing. `npm ci` would take the others away under a Neutrino that runs.
      await npm(progress, root, ['install', '--no-save', '--ignore-scripts', which], { advice });
    } else {
      await npm(progress, root, ['ci', '--ignore-scripts', which], { advice });
    }
    writeStamp(root, kind, hash);
  });
}

const isLink = (path) => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;

const stampFile = (root) => `${root}/node_modules/.neutrino-installed`;

function readStamp(root) {
  try {
    const [kind, hash] = readFileSync(stampFile(root), 'utf8').trim().split(' ');
    return { kind, hash };
  } catch {
    return {};
  }
}

function writeStamp(root, kind, hash) {
  writeFileSync(`${stampFile(root)}.new`, `${kind} ${hash}\n`);
  renameSync(`${stampFile(root)}.new`, stampFile(root));
}

/**
 * Which packages a developer's own `npm install` has left: run, dev, or undefined when they are not what the lock file says.
 * npm writes node_modules/.package-lock.json when it has finished.
 */
function installedByHand(root, lock) {
  let present;
  try {
    present = JSON.parse(readFileSync(`${root}/node_modules/.package-lock.json`, 'utf8')).packages;
  } catch {
    return undefined;
  }
  const wanted = Object.entries(lock.packages).filter(([path]) => path !== '');
  const missing = wanted.filter(([path, entry]) => present[path]?.version !== entry.version);
  const strangers = Object.keys(present).filter((path) => !(path in lock.packages));
  const gone = Object.keys(present).filter((path) => !existsSync(`${root}/${path}/package.json`));
  if (strangers.length > 0 || gone.length > 0) return undefined;
  const needed = missing.filter(([path, entry]) => !(entry.optional && !(path in present)));
  if (needed.length === 0) return 'dev';
  return needed.every(([, entry]) => entry.dev) ? 'run' : undefined;
}
