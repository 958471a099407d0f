import { CommandFailed, run } from '../../../../linux/run.ts';
import type { Suitability } from '../kind.ts';

type Version = readonly [major: number, minor: number];

const TIMEOUT_MS = 5_000;

/** The first version that filters dhcp-host lines by tag (CHANGELOG of 2.81). */
const OLDEST: Version = [2, 81];
/** The first version that answers DHCPv6 Rebind (CHANGELOG of 2.86). */
const ADVISED: Version = [2, 86];

/** The versions that free wrong memory when they reread hosts with tags (see `crashesOnReload`), both inclusive. */
const CRASHING: readonly [Version, Version] = [
  [2, 86],
  [2, 90],
];

const text = ([major, minor]: Version): string => `${major}.${minor}`;
const isOlder = (one: Version, two: Version): boolean => one[0] < two[0] || (one[0] === two[0] && one[1] < two[1]);

/** Returns the version in the output of `dnsmasq --version`; undefined if it names none, as builds from a bare source tree do. */
export function parseVersion(output: string): Version | undefined {
  const [, major, minor] = /^dnsmasq version (\d{1,4})\.(\d{1,4})/im.exec(output) ?? [];
  return major === undefined || minor === undefined ? undefined : [Number(major), Number(minor)];
}

/** Returns whether a version of dnsmasq reads the files that the driver writes. */
export function suitabilityOf(version: Version | undefined): Suitability {
  if (version === undefined) {
    return { unmet: `dnsmasq --version names no version: ${text(OLDEST)} or newer is needed` };
  }
  if (isOlder(version, OLDEST)) {
    return {
      unmet:
        `dnsmasq ${text(version)} is too old: ${text(OLDEST)} or newer is needed, because older ones ignore the tags of hosts ` +
        '(tag:dhcpv6) and give machines with IPv4 and IPv6 the wrong addresses',
    };
  }
  if (isOlder(version, ADVISED)) {
    return {
      warning:
        `dnsmasq ${text(version)} does not answer DHCPv6 Rebind: machines lose their IPv6 address when another agent takes ` +
        `their network over; ${text(ADVISED)} or newer does`,
    };
  }
  return {};
}

/**
 * Returns whether a SIGHUP can end dnsmasq after it has answered a host with a tag (`set:`). For each answer it links the host's
 * tags to tags on its stack; from 2.86 to 2.90, a reload follows and frees that list (CHANGELOG of 2.91: "Fix crash when reloading
 * DHCP config on SIGHUP"). Unknown versions count as crashing.
 */
export function crashesOnReload(version: Version | undefined): boolean {
  const [first, last] = CRASHING;
  return version === undefined || (!isOlder(version, first) && !isOlder(last, version));
}

/** Returns the version of the dnsmasq in PATH; undefined if it names none. Throws CommandFailed if it does not run. */
export async function installedVersion(): Promise<Version | undefined> {
  const { stdout } = await run(['dnsmasq', '--version'], { timeoutMs: TIMEOUT_MS });
  return parseVersion(stdout);
}

/** Examines the dnsmasq in PATH. */
export async function examineDnsmasq(): Promise<Suitability> {
  try {
    return suitabilityOf(await installedVersion());
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    return { unmet: `the version of dnsmasq is unknown: ${error.message}` };
  }
}
