import type { NicLease } from '../contract.ts';
import { parseEnvironment, parseLease } from '../lease.ts';

/** A lease as a machine told it on its console. */
export interface ConsoleLease {
  readonly mac: string;
  readonly lease: NicLease;
  /** Seconds that the machine was up: a later report has a greater number. */
  readonly at: number;
}

/** The reports of `clientScript` in what a console printed; what is cut off or garbled is passed over. */
export function consoleLeases(text: string): readonly ConsoleLease[] {
  return [...text.matchAll(/NEUTRINO-LEASE ([0-9a-f:]{17}) ([A-Za-z0-9+/]+={0,2})\r?\n/g)].flatMap((match) => {
    const environment = Buffer.from(match[2] ?? '', 'base64').toString('utf8');
    const { uptime, NEUTRINO_STARTED_UPTIME: started } = parseEnvironment(environment);
    const ms = Math.round((Number(uptime ?? 0) - Number(started ?? 0)) * 1_000);
    const lease = parseLease(environment, ms);
    return lease ? [{ mac: match[1] ?? '', lease, at: Number(uptime ?? 0) }] : [];
  });
}

/** What the machine says went wrong while it started. */
export function consoleFailures(text: string): readonly string[] {
  return [...text.matchAll(/NEUTRINO-FAILED ([^\r\n]*)/g)].map((match) => match[1] ?? '');
}

/** The last lines with something to read: no escape sequences, no reports. */
export function consoleTail(text: string, lines: number): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what it takes out
      .replaceAll(/\x1b[[c][0-9;?]*[A-Za-z]?/g, '')
      .split(/\r?\n/)
      .filter((line) => line.trim() !== '' && !line.startsWith('NEUTRINO-LEASE'))
      .slice(-lines)
      .join('\n')
  );
}
