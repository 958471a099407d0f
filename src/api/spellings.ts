const PREFIX = '/v2.0/';

/**
 * Returns a function that gives the collections of a URL their declared spelling: as in Neutron, a hyphen and an underscore are the
 * same in the first segment below /v2.0 (`floatingip-pools`, `security_groups`). `paths`: of the resources, below /v2.0.
 */
export function declaredSpelling(paths: readonly string[]): (url: string) => string {
  const declared = new Map<string, string>();
  for (const path of paths) {
    const other = path.includes('_') ? path.replaceAll('_', '-') : path.replaceAll('-', '_');
    if (other !== path && !paths.includes(other)) declared.set(other, path);
  }
  return (url) => {
    if (!url.startsWith(PREFIX)) return url;
    const end = /[/?]/.exec(url.slice(PREFIX.length))?.index;
    const segment = end === undefined ? url.slice(PREFIX.length) : url.slice(PREFIX.length, PREFIX.length + end);
    const path = declared.get(segment);
    return path === undefined ? url : `${PREFIX}${path}${url.slice(PREFIX.length + segment.length)}`;
  };
}
