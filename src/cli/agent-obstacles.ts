import { accessSync, constants, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Programs that agents run, and the Debian packages that have them. */
type Programs = Readonly<Record<string, string>>;
export const L2_PROGRAMS: Programs = { ip: 'iproute2' };
export const DHCP_PROGRAMS: Programs = { ip: 'iproute2', dnsmasq: 'dnsmasq-base' };

// capability.h
const CAP_NET_ADMIN = 12n;
const CAP_SYS_ADMIN = 21n;

/** What keeps agents of this host from running, in sentences; empty when nothing does. All agents unless told. */
export function agentObstacles(
  programs: Programs = DHCP_PROGRAMS,
  env: Readonly<Record<string, string | undefined>> = process.env,
): readonly string[] {
  if (process.platform !== 'linux') return [`agents need Linux, this is ${process.platform}`];
  const obstacles: string[] = [];
  if (process.geteuid?.() !== 0) {
    obstacles.push(
      `not root (user id ${process.geteuid?.()}): network namespaces, devices and the DHCP port need root`,
    );
  } else if (!hasCapabilities()) {
    obstacles.push('root without the capabilities NET_ADMIN and SYS_ADMIN (a container?): run it with --privileged');
  }
  const missing = Object.entries(programs).filter(([program]) => !isInPath(program, env.PATH ?? ''));
  if (missing.length > 0) {
    const names = missing.map(([program]) => program).join(', ');
    const packages = missing.map(([, name]) => name).join(' ');
    obstacles.push(`not installed: ${names} (as root: apt-get install ${packages})`);
  }
  return obstacles;
}

function hasCapabilities(): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  const bits = BigInt(`0x${effective ?? '0'}`);
  return ((bits >> CAP_NET_ADMIN) & 1n) === 1n && ((bits >> CAP_SYS_ADMIN) & 1n) === 1n;
}

function isInPath(program: string, path: string): boolean {
  return path.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
