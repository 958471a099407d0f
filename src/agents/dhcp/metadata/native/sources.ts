import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** A static import of a source file, or a re-export; those of types alone do not exist when a program runs. */
const IMPORT = /^(?:import|export) (?!type\b)[^'";]*?\bfrom '(\.[^']+)'/gm;

/** Returns the contents of a source file, and of all that it imports, directly or not, by path. */
export function sourcesOf(main: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const follow = (path: string): void => {
    if (found.has(path)) return;
    const text = readFileSync(path, 'utf8');
    found.set(path, text);
    for (const [, name = ''] of text.matchAll(IMPORT)) follow(resolve(dirname(path), name));
  };
  follow(main);
  return found;
}
