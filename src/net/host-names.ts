/** Converts a name into a valid host name (RFC 1123); returns undefined if no valid characters remain. */
export function hostName(name: string): string | undefined {
  const host = name
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[ _.]/g, '-')
    .replaceAll(/[^a-z0-9-]/g, '')
    .replaceAll(/-+/g, '-')
    .slice(0, 63)
    .replaceAll(/^-+|-+$/g, '');
  return host || undefined;
}
