/** One entry of an archive; paths are relative, and folders precede their contents. */
export type CpioEntry =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'file'; readonly path: string; readonly data: Uint8Array | string; readonly executable?: boolean }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  | { readonly kind: 'device'; readonly path: string; readonly major: number; readonly minor: number };

const TYPE = { folder: 0o040_755, file: 0o100_644, link: 0o120_777, device: 0o020_600 } as const;

function padded(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = Buffer.concat(parts);
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}

function entryBytes(entry: CpioEntry | undefined, inode: number): Uint8Array[] {
  const data = Buffer.from(entry?.kind === 'file' ? entry.data : entry?.kind === 'link' ? entry.target : '');
  const executable = entry?.kind === 'file' && entry.executable === true;
  const device = entry?.kind === 'device' ? entry : { major: 0, minor: 0 };
  const name = Buffer.from(`${entry?.path ?? 'TRAILER!!!'}\0`);
  const fields = [
    inode,
    entry ? TYPE[entry.kind] | (executable ? 0o111 : 0) : 0,
    ...[0, 0], // owner and group
    1, // links
    0, // modification time: the same contents must yield the same archive
    data.length,
    ...[0, 0], // device that holds it
    ...[device.major, device.minor],
    name.length,
    0, // no checksum in this variant
  ];
  const header = `070701${fields.map((field) => field.toString(16).toUpperCase().padStart(8, '0')).join('')}`;
  return [padded([Buffer.from(header), name]), padded([data])];
}

/**
 * Returns a cpio archive in the format `newc`, which the kernel unpacks as initramfs
 * (Documentation/driver-api/early-userspace/buffer-format.rst).
 */
export function cpioArchive(entries: readonly CpioEntry[]): Buffer {
  const parts = entries.flatMap((entry, i) => entryBytes(entry, i + 1));
  return Buffer.concat([...parts, ...entryBytes(undefined, 0)]);
}
