import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestHost } from '../../support/hosts/test-host.ts';
import type { HostFacts, HostProcessFacts } from '../agreement/facts.ts';

/** Prints the contents of the host's namespaces, one line each: a word for the kind, then its facts. */
const LOOK = `
for space in /run/netns/*; do
  [ -e "$space" ] && echo "namespace $(stat -L -c %i "$space") \${space##*/}"
done
for device in /sys/class/net/*; do echo "device \${device##*/}"; done
for process in /proc/[0-9]*; do
  command=$(tr '\\0' ' ' <"$process/cmdline") && network=$(stat -L -c %i "$process/ns/net") || continue
  [ -n "$command" ] && echo "process \${process##*/} $network $command"
done 2>/dev/null
true
`;

/** Returns the state of a host whose agents use a state path. */
export async function readHost(host: TestHost, statePath: string, machines: HostFacts['machines']): Promise<HostFacts> {
  const [files, text] = await Promise.all([readFiles(join(statePath, 'dhcp')), host.run('sh', '-c', LOOK)]);
  const namespaces = new Map<string, number>();
  const devices: string[] = [];
  const processes: HostProcessFacts[] = [];
  for (const line of text.split('\n')) {
    const [kind, ...words] = line.split(' ');
    if (kind === 'namespace') namespaces.set(words[1] ?? '', Number(words[0]));
    else if (kind === 'device') devices.push(words[0] ?? '');
    else if (kind === 'process')
      processes.push({ pid: Number(words[0]), network: Number(words[1]), command: words.slice(2).join(' ') });
  }
  return { host: host.name, files, namespaces, devices, processes, machines };
}

/** Returns file contents by `<network>/<name>`. Files that are deleted meanwhile are ignored. */
async function readFiles(folder: string): Promise<ReadonlyMap<string, string>> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = new Map<string, string>();
  for (const entry of names) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text !== undefined) files.set(path.slice(folder.length + 1), text);
  }
  return files;
}
