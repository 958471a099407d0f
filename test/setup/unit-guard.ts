import childProcess from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';

/** Loaded before every unit test: one that starts a process or checks for root fails with a hint to rename it. */
const refuse = (what: string) => () => {
  throw new Error(`unit tests ${what}: name the test file *.system.test.ts`);
};
const start = refuse('start no processes');
Object.assign(childProcess, {
  exec: start,
  execFile: start,
  execFileSync: start,
  execSync: start,
  fork: start,
  spawn: start,
  spawnSync: start,
});
syncBuiltinESMExports();
process.getuid = refuse('need no root');
