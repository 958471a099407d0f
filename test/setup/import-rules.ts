import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';

/**
 * What each room of src/ may import besides itself, from the ground up (docs/architecture.md). Agents may run on another
 * host than the server, so they stand on the ground floor alone; the lab speaks to Neutrino by HTTP only.
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
  auth: GROUND,
  notifier: [...GROUND, 'auth', 'ipam', 'scheduler', 'plugin'],
  api: [...GROUND, 'ipam', 'scheduler', 'plugin', 'auth', 'notifier'],
  agents: [...LOWEST, 'linux', 'rpc'],
  lab: [...LOWEST, 'linux'],
  cli: [...GROUND, 'ipam', 'scheduler', 'plugin', 'auth', 'notifier', 'api', 'agents', 'lab'],
};

/** `from '...'`, `import '...'` and `import('...')`, types included: knowing a type is knowing the room. */
const SPECIFIER = /(?:\bfrom\s*|\bimport\s*\(?\s*)(['"])([^'"\n]+)\1/g;
const COMMENT = /\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm;

/** The specifiers that a module imports. A small scanner: it looks past comments, not past strings that look like imports. */
export function importedSpecifiers(source: string): readonly string[] {
  return [...source.replace(COMMENT, '').matchAll(SPECIFIER)].map((match) => match[2] ?? '');
}

/**
 * What is wrong with the imports of one module, in sentences. `path` is relative to the project (`src/api/app.ts`).
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

interface Module {
  readonly path: string;
  /** Paths of the modules in src/ that it imports. */
  readonly imports: readonly string[];
}

/** Rooms whose folders may not import each other in a circle. */
const WITHOUT_CIRCLES = ['agents', 'cli', 'plugin'];

/**
 * Returns the circles between the things directly in a folder, and in each folder below it. A folder counts as one thing; so does
 * each file, so that two folders that import each other through a file make a circle too.
 */
export function importCircles(folder: string, modules: readonly Module[]): readonly string[] {
  const below = (path: string) => path.startsWith(`${folder}/`);
  const thing = (path: string) => path.slice(folder.length + 1).split('/', 1)[0] ?? '';
  const inside = modules.filter(({ path }) => below(path));
  const edges = new Map<string, Set<string>>();
  for (const { path, imports } of inside) {
    const from = thing(path);
    const targets = imports.filter(below).map(thing);
    edges.set(from, new Set([...(edges.get(from) ?? []), ...targets.filter((to) => to !== from)]));
  }
  const reached = new Map([...edges.keys()].map((from) => [from, reachable(edges, from)]));
  const circles = new Set(
    [...edges.keys()]
      .filter((one) => reached.get(one)?.has(one))
      .map((one) => [...edges.keys()].filter((other) => reached.get(one)?.has(other) && reached.get(other)?.has(one)))
      .map((circle) => `${folder}: ${circle.sort().join(', ')} import each other in a circle`),
  );
  const folders = new Set(inside.map(({ path }) => thing(path)).filter((name) => !name.endsWith('.ts')));
  return [...circles, ...[...folders].flatMap((name) => importCircles(`${folder}/${name}`, inside))];
}

function reachable(edges: ReadonlyMap<string, ReadonlySet<string>>, from: string): ReadonlySet<string> {
  const seen = new Set<string>();
  const open = [from];
  for (let next = open.pop(); next !== undefined; next = open.pop())
    for (const to of edges.get(next) ?? [])
      if (!seen.has(to)) {
        seen.add(to);
        open.push(to);
      }
  return seen;
}

/** Returns all violations of the import rules in a project's src/. Throws when there is no module to look at. */
export function importViolations(project: string): readonly string[] {
  const paths = readdirSync(join(project, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(project, join(entry.parentPath, entry.name)));
  if (paths.length === 0) throw new Error(`no modules below ${project}/src`);
  const sources = paths.sort().map((path) => ({ path, source: readFileSync(join(project, path), 'utf8') }));
  const modules = sources.map(({ path, source }) => ({
    path,
    imports: importedSpecifiers(source)
      .filter((specifier) => specifier.startsWith('.'))
      .map((specifier) => normalize(join(dirname(path), specifier))),
  }));
  return [
    ...sources.flatMap(({ path, source }) => checkModule(path, source)),
    ...WITHOUT_CIRCLES.flatMap((room) => importCircles(`src/${room}`, modules)),
  ];
}
