import type { ProcessSpec } from '../process.ts';

/** Requests of a test to the resident of a host, over Node's channel between parent and child. */
export type Question =
  | { readonly kind: 'run'; readonly command: readonly string[] }
  | { readonly kind: 'start'; readonly spec: ProcessSpec }
  | { readonly kind: 'signal'; readonly pid: number; readonly signal: NodeJS.Signals }
  | { readonly kind: 'is-running'; readonly pid: number }
  | { readonly kind: 'ended'; readonly pid: number; readonly timeoutMs: number }
  | { readonly kind: 'guest'; readonly ports: readonly { readonly id: string; readonly mac_address: string }[] }
  | { readonly kind: 'lease' | 'renew'; readonly guest: string; readonly nic: string; readonly timeoutMs: number }
  | { readonly kind: 'guest-stop'; readonly guest: string };

export interface Asked {
  readonly number: number;
  readonly question: Question;
}

/** `error`: the message of the thrown error. */
export type Answer =
  | { readonly number: number; readonly result: unknown }
  | { readonly number: number; readonly error: string };

/** Sent by the resident once it listens. */
export const READY = 'ready';
