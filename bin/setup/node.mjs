import { execFileSync } from 'node:child_process';
import { accessSync, constants, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { npm } from './packages.mjs';
import { SetupError } from './progress.mjs';

const MAJOR = 24;

/**
 * Makes sure of a Node that runs TypeScript: the one in PATH when it is new enough, else npm's binary package of Node 24
 * below .node/, linked as .node/bin/node. The link is made last, so that it is there only when all of it is.
 */
export async function setUpNode(root, progress) {
  const version = versionOf('node');
  if (Number(version.split('.')[0]) >= MAJOR) return;
  const link = `${root}/.node/bin/node`;
  if (!isExecutable(link)) {
    const name = packageName();
    await progress.step(`Node.js ${MAJOR} (npm package ${name}; this one is ${version})`, async () => {
      const half = `${root}/.node/installing`;
      rmSync(half, { recursive: true, force: true });
      mkdirSync(half, { recursive: true });
      writeFileSync(`${half}/package.json`, '{ "private": true }\n');
      const options = ['--no-save', '--no-package-lock', '--ignore-scripts'];
      await npm(progress, root, ['install', '--prefix', half, ...options, `${name}@${MAJOR}`], {
        advice: 'check the network and npm, or install Node.js 24 or newer yourself, then start again',
      });
      const binary = `node_modules/${name}/bin/node`;
      versionOf(`${half}/${binary}`);
      const whole = `${root}/.node/node-${MAJOR}`;
      rmSync(whole, { recursive: true, force: true });
      renameSync(half, whole);
      mkdirSync(`${root}/.node/bin`, { recursive: true });
      rmSync(`${link}.new`, { force: true });
      symlinkSync(`../node-${MAJOR}/${binary}`, `${link}.new`);
      renameSync(`${link}.new`, link);
    });
  }
  process.env.PATH = `${root}/.node/bin:${process.env.PATH}`;
}

function packageName() {
  if (process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch)) return `node-linux-${process.arch}`;
  throw new SetupError(
    `Node.js ${MAJOR} or newer is needed, this is ${process.versions.node}; it comes by itself only on Linux for x64 and ` +
      `arm64, and this is ${process.platform} for ${process.arch}: install it yourself and start again`,
  );
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The version of a Node, `24.1.0`. Throws SetupError when it does not run. */
function versionOf(node) {
  try {
    const printed = execFileSync(node, ['--version'], { timeout: 30_000, stdio: ['ignore', 'pipe', 'pipe'] });
    return printed.toString('utf8').trim().replace(/^v/, '');
  } catch (error) {
    const why = error.message.split('\n')[0];
    throw new SetupError(`${node} does not run on this machine (${why}): install Node.js ${MAJOR} or newer yourself`);
  }
}
