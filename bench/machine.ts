import { cpus, loadavg, totalmem } from 'node:os';
import type { Report } from './contract.ts';

/** Returns facts about the machine. The load before the run shows whether it was idle. */
export function machineFacts(): Report['machine'] {
  const processors = cpus();
  return {
    cores: processors.length,
    cpu: processors[0]?.model.trim() ?? 'unknown',
    memory_gib: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    sqlite: process.versions.sqlite ?? 'unknown',
    load_before: (loadavg()[0] ?? 0).toFixed(2),
  };
}
