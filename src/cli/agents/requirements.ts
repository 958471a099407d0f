import { accessSync, constants, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Config } from '../../config/options.ts';
import type { AgentKind } from '../compose/agent.ts';

// capability.h
const CAP_NET_ADMIN = 12n;
const CAP_SYS_ADMIN = 21n;

/** Returns the reasons, as sentences, why agents of these kinds cannot run on this host; empty if they can. */
export async function unmetRequirements(
  kinds: readonly Pick<AgentKind, 'programs' | 'unprivileged'>[],
  config: Config,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<readonly string[]> {
  if (process.platform !== 'linux') return [`agents need Linux, this is ${process.platform}`];
  const unmet: string[] = [];
  const rooted = kinds.some((kind) => !kind.unprivileged);
  if (rooted && process.geteuid?.() !== 0) {
    unmet.push(`not root (user id ${process.geteuid?.()}): network namespaces, devices and the DHCP port need root`);
  } else if (rooted && !hasCapabilities()) {
    unmet.push('root without the capabilities NET_ADMIN and SYS_ADMIN (a container?): run it with --privileged');
  }
  const programs = new Map(
    (await Promise.all(kinds.map((kind) => kind.programs(config)))).flatMap(Object.entries<string>),
  );
  const missing = [...programs].filter(([program]) => !isInPath(program, env.PATH ?? ''));
  if (missing.length > 0) {
    const names = missing.map(([program]) => program).join(', ');
    const packages = missing.map(([, name]) => name).join(' ');
    unmet.push(`not installed: ${names} (as root: apt-get install ${packages})`);
  }
  return unmet;
}

/** What agents find on this host, before they start. */
interface Examination {
  /** As `unmetRequirements`. */
  readonly unmet: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * Returns why agents of these kinds cannot run on this host, unsuitable versions of their programs included, and what will not work
 * although they can.
 */
export async function examineHost(
  kinds: readonly Pick<AgentKind, 'programs' | 'unprivileged' | 'examine'>[],
  config: Config,
): Promise<Examination> {
  const unmet = await unmetRequirements(kinds, config);
  // Programs that are missing have no version.
  if (unmet.length > 0) return { unmet, warnings: [] };
  const found = await Promise.all(kinds.map(async (kind) => (await kind.examine?.(config)) ?? {}));
  return {
    unmet: found.flatMap((one) => one.unmet ?? []),
    warnings: found.flatMap((one) => one.warning ?? []),
  };
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
