import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { asIpFailed, batchText, type InNamespace, type IpCommand, namespacePath } from './ip.ts';
import { run } from './run.ts';

/** Returns whether the kernel has IPv6. */
export const hasIpv6 = (): boolean => existsSync('/proc/sys/net/ipv6');

/** Keys are paths below /proc/sys (`net/ipv6/conf/eth0.5/accept_ra`), because device names may contain dots. */
function sysctlPath(key: string): string {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.@-]*(\/[A-Za-z0-9_.@-]+)+$/.test(key) || key.split('/').includes('..')) {
    throw new Error(`sysctl ${JSON.stringify(key)}: a path such as net/ipv4/ip_forward`);
  }
  return `/proc/sys/${key}`;
}

/** Returns the shell text that writes these keys. */
function writeScript(
  values: Readonly<Record<string, string | number>>,
  options: { readonly skipAbsent: boolean },
): string {
  const writes = Object.entries(values).map(([key, value]) => {
    if (!/^[A-Za-z0-9 ._:-]*$/.test(String(value))) throw new Error(`sysctl ${key}: value ${JSON.stringify(value)}`);
    const path = sysctlPath(key);
    return `${options.skipAbsent ? `[ ! -e '${path}' ] || ` : ''}echo '${value}' > '${path}'`;
  });
  return writes.map((write) => `{ ${write}; }`).join(' && ');
}

/** Sets kernel settings, in order. Throws when the kernel lacks one. */
export async function setSysctls(
  values: Readonly<Record<string, string | number>>,
  { namespace }: InNamespace = {},
): Promise<void> {
  if (Object.keys(values).length === 0) return;
  if (namespace === undefined) {
    for (const [key, value] of Object.entries(values)) await writeFile(sysctlPath(key), `${value}\n`);
  } else {
    await run([
      'nsenter',
      `--net=${namespacePath(namespace)}`,
      '/bin/sh',
      '-c',
      writeScript(values, { skipAbsent: false }),
    ]);
  }
}

/**
 * Sets kernel settings of a namespace and then runs a batch of `ip` commands in it, in one process. Settings that this kernel
 * lacks (IPv6 disabled, for example) are skipped. Throws IpFailed naming the step, CommandFailed for a rejected setting.
 */
export async function setSysctlsAndIp(
  values: Readonly<Record<string, string | number>>,
  steps: readonly IpCommand[],
  where: Required<InNamespace>,
): Promise<void> {
  const script = [writeScript(values, { skipAbsent: true }), 'exec ip -batch -']
    .filter((text) => text !== '')
    .join(' && ');
  try {
    await run(['nsenter', `--net=${namespacePath(where.namespace)}`, '/bin/sh', '-c', script], {
      input: batchText(steps),
    });
  } catch (error) {
    throw asIpFailed(error, steps, where, { onlySteps: true });
  }
}
