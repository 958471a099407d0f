import { chmod, mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Texts of the files that dnsmasq reads. */
export interface Texts {
  readonly host: string;
  readonly addnHosts: string;
  readonly opts: string;
}

/**
 * Folders whose new files dnsmasq reads at once (inotify), without freeing anything that it has read before. In the order in
 * which it must read them: a host that is answered must already have its options.
 */
const FOLDERS = [
  ['opts', 'opts', '--dhcp-optsdir'],
  ['addnHosts', 'addn_hosts', '--hostsdir'],
  ['host', 'host', '--dhcp-hostsdir'],
] as const;

/** Returns the arguments with which dnsmasq watches the folders. */
export const watchArguments = (added: string): readonly string[] =>
  FOLDERS.map(([, name, argument]) => `${argument}=${join(added, name)}`);

/**
 * Returns the new lines if all that changed is that ports were added, of which dnsmasq knows neither MAC address, client id, tag
 * nor address: then it makes no difference whether it reads them later than the others. Returns undefined if anything else
 * changed.
 */
export function additions(before: Texts, after: Texts): Texts | undefined {
  const host = insertions(before.host, after.host);
  const addnHosts = insertions(before.addnHosts, after.addnHosts);
  const opts = insertions(before.opts, after.opts);
  if (host === undefined || addnHosts === undefined || opts === undefined) return undefined;
  const known = new Set([...keysOf(before.host, ','), ...keysOf(before.addnHosts, '\t')]);
  for (const line of linesOf(before.opts)) known.add(portTag(line) ?? '');
  const isNew = (key: string) => !known.has(key);
  if (!keysOf(host, ',').every(isNew) || !keysOf(addnHosts, '\t').every(isNew)) return undefined;
  const tags = linesOf(opts).map(portTag);
  return tags.every((tag) => tag !== undefined && isNew(tag)) ? { host, addnHosts, opts } : undefined;
}

const linesOf = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '');

/** Returns the lines of `after` that `before` lacks; undefined if `before` has others, or in another order. */
function insertions(before: string, after: string): string | undefined {
  if (before === after) return '';
  const old = linesOf(before);
  const fresh: string[] = [];
  let matched = 0;
  for (const line of linesOf(after)) {
    if (line === old[matched]) matched++;
    else fresh.push(`${line}\n`);
  }
  return matched === old.length ? fresh.join('') : undefined;
}

/** Returns what identifies hosts: MAC addresses, client ids, addresses without brackets. Not names: several may share one. */
function keysOf(text: string, separator: string): readonly string[] {
  return linesOf(text).flatMap((line) => {
    const fields = line.split(separator);
    if (separator === '\t') return fields.slice(0, 1);
    const identifies = (field: string) => /^(id:.*|\d+\.\d+\.\d+\.\d+|\[.*\])$/.test(field);
    return [fields[0] ?? '', ...fields.filter(identifies).map((field) => field.replace(/^\[(.*)\]$/, '$1'))];
  });
}

/** Returns the tag of a port whose option a line is; undefined for those of subnets. */
const portTag = (line: string): string | undefined => /^tag:(port-[^,]+),/.exec(line)?.[1];

/** Creates the folders; dnsmasq only watches those that exist when it starts. */
export async function createFolders(added: string): Promise<void> {
  for (const folder of [added, ...FOLDERS.map(([, name]) => join(added, name))]) {
    await mkdir(folder, { recursive: true });
    await chmod(folder, 0o755);
  }
}

/** Hands lines to the running dnsmasq, as new files. Returns the path of the one that it reads last. */
export async function addLines(added: string, lines: Texts): Promise<string> {
  const names = await Promise.all(FOLDERS.map(([, name]) => readdir(join(added, name))));
  const number = Math.max(0, ...names.flat().map(Number)) + 1;
  let last = '';
  for (const [text, name] of FOLDERS) {
    if (lines[text] === '') continue;
    // Complete before it appears: dnsmasq reads a file as soon as it is closed in its folder, or renamed into it.
    const fresh = join(added, 'next');
    await writeFile(fresh, lines[text]);
    await chmod(fresh, 0o644);
    last = join(added, name, String(number));
    await rename(fresh, last);
  }
  return last;
}
