/** Returns a sentence for each difference between two sets, whose owners are `mine` and `theirs`. */
export function differences(
  what: string,
  one: Iterable<string>,
  mine: string,
  other: Iterable<string>,
  theirs: string,
): readonly string[] {
  const left = new Set(one);
  const right = new Set(other);
  return [
    ...[...left].filter((item) => !right.has(item)).map((item) => `${what} ${item}: ${mine}, not ${theirs}`),
    ...[...right].filter((item) => !left.has(item)).map((item) => `${what} ${item}: ${theirs}, not ${mine}`),
  ];
}

/** Returns the duplicates. */
export function doubled(items: Iterable<string>): readonly string[] {
  const seen = new Set<string>();
  const again = new Set<string>();
  for (const item of items) {
    if (seen.has(item)) again.add(item);
    seen.add(item);
  }
  return [...again];
}

/** Groups items by a key. */
export function grouped<T>(items: Iterable<T>, key: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}
