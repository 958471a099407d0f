import { startChild } from '../child.ts';
import type { RepeatJob, RepeatResult, WalkJob, WalkResult } from './generator.ts';

/** The load generator, in a process of its own. */
export interface Load {
  repeat(job: Omit<RepeatJob, 'kind'>): Promise<RepeatResult>;
  walk(job: Omit<WalkJob, 'kind'>): Promise<WalkResult>;
  stop(): Promise<void>;
}

export function startLoad(): Load {
  const child = startChild(new URL('./generator.ts', import.meta.url));
  return {
    repeat: (job) => child.ask<RepeatResult>({ ...job, kind: 'repeat' }),
    walk: (job) => child.ask<WalkResult>({ ...job, kind: 'walk' }),
    stop: () => child.stop(),
  };
}
