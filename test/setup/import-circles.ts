/** An import of one module by another: two paths, such as `src/api/app.ts`. */
export interface Import {
  readonly from: string;
  readonly to: string;
}

/** What is directly in a folder, each with its neighbours that it imports and one import that proves it. */
type Graph = Map<string, Map<string, Import>>;

/**
 * Returns the circles of imports between what is directly in a folder, for every folder: a file stands for itself, a folder for
 * everything below it. So no two folders import each other, no circle leads through the files beside them, and no two files import
 * each other. Each tangle is reported once: `src/plugin: a -> b -> a (src/plugin/a/x.ts imports src/plugin/b/y.ts, ...)`.
 */
export function importCircles(imports: readonly Import[]): readonly string[] {
  const graphs = new Map<string, Graph>();
  for (const link of imports) addImport(graphs, link);
  return [...graphs].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([folder, graph]) => circlesIn(folder, graph));
}

/** Adds an import to the graph of the deepest folder that holds both modules. */
function addImport(graphs: Map<string, Graph>, link: Import): void {
  const from = link.from.split('/');
  const to = link.to.split('/');
  const depth = from.findIndex((part, index) => part !== to[index]);
  // A module that imports itself is a circle of one.
  const at = depth < 0 ? from.length - 1 : depth;
  const folder = from.slice(0, at).join('/');
  const graph: Graph = graphs.get(folder) ?? new Map();
  graphs.set(folder, graph);
  const neighbours = graph.get(from[at] ?? '') ?? new Map<string, Import>();
  graph.set(from[at] ?? '', neighbours);
  if (!neighbours.has(to[at] ?? '')) neighbours.set(to[at] ?? '', link);
}

function circlesIn(folder: string, graph: Graph): readonly string[] {
  const inCircle = new Set<string>();
  const circles: string[] = [];
  for (const start of [...graph.keys()].sort()) {
    if (inCircle.has(start)) continue;
    const circle = shortestCircle(graph, start);
    if (!circle) continue;
    for (const name of circle) inCircle.add(name);
    const imports = circle.slice(1).map((name, index) => graph.get(circle[index] ?? '')?.get(name));
    const reasons = imports.map((link) => `${link?.from} imports ${link?.to}`);
    circles.push(`${folder}: ${circle.join(' -> ')} (${reasons.join(', ')})`);
  }
  return circles;
}

/** Returns the shortest path from a name back to itself (breadth first), the name at both ends; undefined when there is none. */
function shortestCircle(graph: Graph, start: string): readonly string[] | undefined {
  const paths: (readonly string[])[] = [[start]];
  const seen = new Set<string>();
  for (const path of paths)
    for (const next of graph.get(path.at(-1) ?? '')?.keys() ?? []) {
      if (next === start) return [...path, next];
      if (seen.has(next)) continue;
      seen.add(next);
      paths.push([...path, next]);
    }
  return undefined;
}
