import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Case, Expected } from '../../agents/dhcp/drivers/dnsmasq/vector.ts';

/** The installed Neutron's own dnsmasq driver. */
export interface Oracle {
  /** Returns what the driver writes. Throws what it raises. One call at a time. */
  ask(one: Case): Promise<Expected>;
  close(): Promise<void>;
}

/** Debian's python3, which finds Debian's Neutron. */
const PYTHON = '/usr/bin/python3';

export function startOracle(): Oracle {
  const script = fileURLToPath(new URL('oracle.py', import.meta.url));
  const child = spawn(PYTHON, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async ask({ config, network }) {
      child.stdin.write(`${JSON.stringify({ config, network })}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error('the driver ended');
      const answer = JSON.parse(value) as Expected & { readonly error?: string };
      if (answer.error !== undefined) throw new Error(answer.error);
      return answer;
    },
    async close() {
      child.stdin.end();
      await ended;
    },
  };
}
