import { readFileSync } from 'node:fs';

/** A call as stock Neutron's agent (host `vm`) and server exchanged it. */
export interface CapturedCall {
  readonly method: string;
  readonly version: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly result?: unknown;
}

const calls = JSON.parse(
  readFileSync(new URL('../../fixtures/dhcp-agent/captured.json', import.meta.url), 'utf8'),
) as Record<string, CapturedCall>;

export function captured(name: string): CapturedCall {
  const call = calls[name];
  if (!call) throw new Error(`nothing captured as ${name}`);
  return call;
}
