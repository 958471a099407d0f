import { AVAILABILITY_ZONE, type Machine } from './machine.ts';

/** Versions of the EC2 metadata API, as Nova lists them. */
const EC2_VERSIONS = [
  '1.0',
  '2007-01-19',
  '2007-03-01',
  '2007-08-29',
  '2007-10-10',
  '2007-12-15',
  '2008-02-01',
  '2008-09-01',
  '2009-04-04',
] as const;
type Ec2Version = (typeof EC2_VERSIONS)[number];

/** A folder of the tree; `label` is its line in the listing of its parent, default: its name and a slash. */
interface Folder {
  readonly label?: string;
  readonly children: Readonly<Record<string, Node>>;
}
type Node = string | Buffer | readonly string[] | Folder;

const isFolder = (node: Node): node is Folder => typeof node === 'object' && 'children' in node;
const folder = (children: Folder['children'], label?: string): Folder =>
  label === undefined ? { children } : { children, label };

/** Returns a node as it is sent: text, lists with an element a line, folders with an entry a line in sorted order. */
function shown(node: Node): string | Buffer {
  if (typeof node === 'string' || Buffer.isBuffer(node)) return node;
  if (!isFolder(node)) return node.join('\n');
  const names = Object.keys(node.children).sort();
  return names.map((name) => lineOf(name, node.children[name] ?? '')).join('\n');
}

const lineOf = (name: string, node: Node): string => (isFolder(node) ? (node.label ?? `${name}/`) : name);

/** Returns the keys as EC2 numbers them: `0=<name>` in the list, and `0/openssh-key` below. */
const publicKeys = (keys: Machine['keys']): Folder =>
  folder(Object.fromEntries(keys.map(([name, key], i) => [String(i), folder({ 'openssh-key': key }, `${i}=${name}`)])));

/** Returns what a version contains. What only Nova and Glance know (image, flavor, volumes) has a constant value. */
function rootOf(machine: Machine, version: Ec2Version): Folder {
  const since = (first: Ec2Version, entries: Folder['children']): Folder['children'] =>
    EC2_VERSIONS.indexOf(version) >= EC2_VERSIONS.indexOf(first) ? entries : {};
  const { id, hostname, keys, securityGroups, userData } = machine;
  const metaData = folder({
    'ami-id': 'ami-00000000',
    'ami-launch-index': '0',
    'ami-manifest-path': 'FIXME',
    'instance-id': id,
    hostname,
    'local-ipv4': machine.fixedIpv4,
    'reservation-id': `r-${id.slice(0, 8)}`,
    'security-groups': securityGroups,
    ...(keys.length > 0 ? { 'public-keys': publicKeys(keys) } : {}),
    ...since('2007-01-19', {
      'local-hostname': hostname,
      'public-hostname': hostname,
      'public-ipv4': machine.floatingIp,
    }),
    ...since('2007-08-29', { 'instance-type': 'unknown' }),
    ...since('2007-12-15', { 'block-device-mapping': folder({ ami: 'vda', root: '/dev/vda' }) }),
    ...since('2008-02-01', { placement: folder({ 'availability-zone': AVAILABILITY_ZONE }) }),
    ...since('2008-09-01', { 'instance-action': 'none' }),
  });
  return folder({ 'meta-data': metaData, ...(userData === undefined ? {} : { 'user-data': userData }) });
}

/** Returns the versions, as listed at `/`. */
export const ec2Versions = (): string => [...EC2_VERSIONS, 'latest'].join('\n');

/** Returns what the EC2 API has at a path below its root; undefined: nothing. */
export function ec2Answer(machine: Machine, [named = '', ...path]: readonly string[]): string | Buffer | undefined {
  const version = named === 'latest' ? EC2_VERSIONS.at(-1) : EC2_VERSIONS.find((one) => one === named);
  if (version === undefined) return undefined;
  let node: Node = rootOf(machine, version);
  for (const name of path) {
    if (!isFolder(node) || !Object.hasOwn(node.children, name)) return undefined;
    node = node.children[name] ?? '';
  }
  return shown(node);
}
