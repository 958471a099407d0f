import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { endProcess, isAlive, showProcess, signalProcess, waitForEnd } from '../../src/linux/processes.ts';

const started: ChildProcess[] = [];
async function start(script: string): Promise<ChildProcess & { pid: number }> {
  const child = spawn('/bin/sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] });
  started.push(child);
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  return child as ChildProcess & { pid: number };
}

describe('processes', () => {
  afterEach(() => {
    for (const child of started.splice(0)) child.kill('SIGKILL');
  });

  it('are found with their command line', async () => {
    const child = await start('echo "ready ("; sleep 100 & wait');
    expect(await isAlive(child.pid)).toBe(true);
    const shown = await showProcess(child.pid);
    expect(shown?.command).toEqual(['/bin/sh', '-c', 'echo "ready ("; sleep 100 & wait']);
    expect(shown?.startTime).toBeGreaterThan(0);
  });

  it('count as ended if they are zombies', async () => {
    // exec makes sleep the parent, which never asks for its child's end; the child ends only then, or the shell might reap it.
    const child = '(until grep -q sleep /proc/$$/comm; do :; done)';
    const parent = spawn('/bin/sh', ['-c', `${child} & echo $!; exec sleep 100`], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    started.push(parent);
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    expect(await waitForEnd(Number(line.toString()), 5_000)).toBe(true);
    expect(signalProcess(Number(line.toString()), 'SIGTERM')).toBe(true);
  });

  it('are ended whether or not they handle SIGTERM', async () => {
    const obedient = await start('echo ready; exec sleep 100');
    await endProcess(obedient.pid);
    expect(await isAlive(obedient.pid)).toBe(false);
    const stubborn = await start("trap '' TERM; echo ready; while :; do sleep 1; done");
    await endProcess(stubborn.pid, 50);
    expect(await isAlive(stubborn.pid)).toBe(false);
    await endProcess(stubborn.pid);
  });

  it('are awaited with a time limit', async () => {
    const child = await start('echo ready; exec sleep 100');
    expect(await waitForEnd(child.pid, 10)).toBe(false);
  });

  it('an invalid pid never signals a process group', () => {
    for (const pid of [0, -1, 1.5, Number.NaN])
      expect(() => signalProcess(pid, 'SIGTERM')).toThrow(`process id ${pid}`);
  });
});
