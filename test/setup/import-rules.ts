import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { type Import, importCircles } from './import-circles.ts';

/**
 * What each room of src/ may import besides itself, from the ground up (docs/architecture.md). Agents may run on another
 * host than the server, so they only import the lowest layers; the lab uses Neutrino only over HTTP.
 */
const LOWEST = ['net', 'time', 'config'];
const GROUND = [...LOWEST, 'linux', 'rpc', 'resources', 'db', 'store'];
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  net: [],
  time: [],
  config: ['net'],
  linux: LOWEST,
  rpc: LOWEST,
  resources: LOWEST,
  db: LOWEST,
  store: [...LOWEST, 'resources', 'db'],
  ipam: GROUND,
  scheduler: GROUND,
  plugin: [...GROUND, 'auth', 'ipam', 'scheduler'],
  identity: [...LOWEST, 'resources', 'db'],
  auth: [...GROUND, 'identity'],
  notifier: [...GROUND, 'auth', 'ipam', 'scheduler', 'plugin'],
  api: [...GROUND, 'auth', 'ipam', 'scheduler', 'plugin'],
  endpoints: [...GROUND, 'auth', 'ipam', 'scheduler', 'plugin'],
  agents: [...LOWEST, 'linux', 'rpc'],
  lab: [...LOWEST, 'linux'],
  cli: [...GROUND, 'ipam', 'scheduler', 'plugin', 'auth', 'identity', 'notifier', 'api', 'endpoints', 'agents', 'lab'],
};

/** `from '...'`, `import '...'` and `import('...')`, types included: knowing a type is knowing the room. */
const SPECIFIER = /(?:\bfrom\s*|\bimport\s*\(?\s*)(['"])([^'"\n]+)\1/g;
const COMMENT = /\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm;

/** Returns the specifiers that a module imports. A simple scanner: it skips comments, but not strings that look like imports. */
export function importedSpecifiers(source: string): readonly string[] {
  return [...source.replace(COMMENT, '').matchAll(SPECIFIER)].map((match) => match[2] ?? '');
}

/**
 * Returns a sentence for each violation of the import rules by a module. `path` is relative to the project (`src/api/app.ts`).
 */
export function checkModule(path: string, source: string): readonly string[] {
  const room = path.split('/')[1] ?? '';
  const allowed = ALLOWED[room];
  if (!allowed) return [`${path}: src/${room} is no room that the import rules know`];
  return importedSpecifiers(source)
    .filter((specifier) => specifier.startsWith('.'))
    .flatMap((specifier) => {
      const target = normalize(join(dirname(path), specifier));
      const [top, other = ''] = target.split('/');
      if (top === 'package.json') return [];
      if (top !== 'src') return [`${path}: imports ${target}, which is outside src/`];
      if (!specifier.endsWith('.ts')) return [`${path}: imports ${specifier} without its ending .ts`];
      if (other === room || allowed.includes(other)) return [];
      return [`${path}: ${room} must not import ${other} (${target}); it may import ${allowed.join(' ') || 'nothing'}`];
    });
}

/** Returns all violations of the import rules in a project's src/, circles included. Throws when there is no module to check. */
export function importViolations(project: string): readonly string[] {
  const modules = readdirSync(join(project, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(project, join(entry.parentPath, entry.name)))
    .sort()
    .map((path) => ({ path, source: readFileSync(join(project, path), 'utf8') }));
  if (modules.length === 0) throw new Error(`no modules below ${project}/src`);
  return [
    ...modules.flatMap(({ path, source }) => checkModule(path, source)),
    ...importCircles(modules.flatMap(({ path, source }) => importedModules(path, source))),
  ];
}

/** Returns the modules of the project that a module imports, including types. */
const importedModules = (from: string, source: string): readonly Import[] =>
  importedSpecifiers(source)
    .filter((specifier) => specifier.startsWith('.') && specifier.endsWith('.ts'))
    .map((specifier) => ({ from, to: normalize(join(dirname(from), specifier)) }));
