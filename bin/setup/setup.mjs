// Installs what is missing. Runs under any Node from 18 up with nothing installed, so plain JavaScript without dependencies.
// Usage: setup.mjs run|dev none|up|test|interop   (which npm packages; which Debian packages)
import { fileURLToPath } from 'node:url';
import { setUpDebianPackages } from './debian.mjs';
import { setUpNode } from './node.mjs';
import { setUpPackages } from './packages.mjs';
import { Progress, SetupError } from './progress.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const [packages, tools] = process.argv.slice(2);
const progress = new Progress(`${root}/.node/setup.log`);

try {
  // Node comes first, so that no npm package complains about its engine.
  await setUpNode(root, progress);
  await setUpPackages(root, packages, progress);
  await setUpDebianPackages(root, tools, progress);
  progress.finish();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  progress.say(error.message);
  process.exitCode = 1;
}
