import type { NicLease } from '../contract.ts';
import { parseEnvironment, parseLease } from '../lease.ts';

/** A lease reported by a machine on its console. */
export interface ConsoleLease {
  readonly mac: string;
  readonly lease: NicLease;
  /** Uptime of the machine in seconds: later reports have greater values. */
  readonly at: number;
}

/** Returns the reports of `clientScript` in the output of a console; ignores incomplete or garbled ones. */
export function consoleLeases(text: string): readonly ConsoleLease[] {
  return [...text.matchAll(/NEUTRINO-LEASE ([0-9a-f:]{17}) ([A-Za-z0-9+/]+={0,2})\r?\n/g)].flatMap((match) => {
    const environment = Buffer.from(match[2] ?? '', 'base64').toString('utf8');
    const { uptime, NEUTRINO_STARTED_UPTIME: started } = parseEnvironment(environment);
    const ms = Math.round((Number(uptime ?? 0) - Number(started ?? 0)) * 1_000);
    const lease = parseLease(environment, ms);
    return lease ? [{ mac: match[1] ?? '', lease, at: Number(uptime ?? 0) }] : [];
  });
}

/** Returns the failure that a machine reported while it started. */
export function consoleFailures(text: string): readonly string[] {
  return [...text.matchAll(/NEUTRINO-FAILED ([^\r\n]*)/g)].map((match) => match[1] ?? '');
}

/** Returns the last readable lines, without escape sequences and reports. */
export function consoleTail(text: string, lines: number): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are removed
      .replaceAll(/\x1b[[c][0-9;?]*[A-Za-z]?/g, '')
      .split(/\r?\n/)
      .filter((line) => line.trim() !== '' && !/^NEUTRINO-(LEASE|METADATA)/.test(line))
      .slice(-lines)
      .join('\n')
  );
}
