import { readFile, writeFile } from 'node:fs/promises';
import type { InNamespace } from './ip.ts';
import { namespacePath } from './namespaces.ts';
import { run } from './run.ts';

/** Keys are paths below /proc/sys (`net/ipv6/conf/eth0.5/accept_ra`): device names may hold dots. */
function sysctlPath(key: string): string {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.@-]*(\/[A-Za-z0-9_.@-]+)+$/.test(key) || key.split('/').includes('..')) {
    throw new Error(`sysctl ${JSON.stringify(key)}: a path such as net/ipv4/ip_forward`);
  }
  return `/proc/sys/${key}`;
}

/** The shell text that writes these keys; for a process that enters a namespace and has more to do there. */
export function writeSysctlsScript(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([key, value]) => {
      if (!/^[A-Za-z0-9 ._:-]*$/.test(String(value))) throw new Error(`sysctl ${key}: value ${JSON.stringify(value)}`);
      return `echo '${value}' > '${sysctlPath(key)}'`;
    })
    .join(' && ');
}

/** Reads a kernel setting. Throws when the kernel has no such key (ENOENT), or the namespace is not there. */
export async function readSysctl(key: string, { namespace }: InNamespace = {}): Promise<string> {
  // /proc/sys/net shows the namespace of the process that opens the file: in another one, another process must.
  if (namespace === undefined) return (await readFile(sysctlPath(key), 'utf8')).trim();
  return (await run(['nsenter', `--net=${namespacePath(namespace)}`, 'cat', sysctlPath(key)])).stdout.trim();
}

/** Sets kernel settings in one go, in order. */
export async function setSysctls(
  values: Readonly<Record<string, string | number>>,
  { namespace }: InNamespace = {},
): Promise<void> {
  if (Object.keys(values).length === 0) return;
  if (namespace === undefined) {
    for (const [key, value] of Object.entries(values)) await writeFile(sysctlPath(key), `${value}\n`);
  } else {
    await run(['nsenter', `--net=${namespacePath(namespace)}`, '/bin/sh', '-c', writeSysctlsScript(values)]);
  }
}
