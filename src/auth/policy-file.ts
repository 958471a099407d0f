import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isMap, isScalar, LineCounter, parseDocument } from 'yaml';
import type { Config } from '../config/options.ts';
import { ConfigError } from '../config/parse.ts';

/** A rule of a policy file. */
export interface WrittenRule {
  readonly text: string;
  /** File and line: `/etc/neutron/policy.yaml:3`. */
  readonly place: string;
}

const MAX_BYTES = 1024 * 1024;

/**
 * Reads the rules of `policy_file` and of the files in `policy_dirs` (oslo.policy: policy.yaml and policy.json); those in later
 * files override earlier ones. Throws ConfigError that names file and line.
 */
export function readPolicyFiles(options: Config['oslo_policy']): ReadonlyMap<string, WrittenRule> {
  const { policy_file: file, policy_dirs: dirs } = options;
  const files = [...(file === '' ? [] : [file]), ...dirs.flatMap(filesIn)];
  return new Map(files.flatMap((path) => [...rulesOf(contentOf(path), path)]));
}

/** As in oslo.policy, hidden files are skipped. */
function filesIn(dir: string): readonly string[] {
  try {
    return readdirSync(dir, { withFileTypes: true })
      .filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.'))
      .map(({ name }) => join(dir, name))
      .sort();
  } catch (error) {
    throw new ConfigError(`[oslo_policy] policy_dirs: ${reasonOf(error)}`);
  }
}

function contentOf(path: string): string {
  try {
    if (statSync(path).size > MAX_BYTES) throw new Error(`${path} is larger than ${MAX_BYTES} bytes`);
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError(`[oslo_policy] policy_file: ${reasonOf(error)}`);
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Returns the rules of a file, by name. JSON is YAML. Throws ConfigError that names file and line. */
function rulesOf(content: string, file: string): ReadonlyMap<string, WrittenRule> {
  const lines = new LineCounter();
  const document = parseDocument(content, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const placeOf = (offset: number) => `${file}:${lines.linePos(offset).line}`;
  const [broken] = document.errors;
  if (broken) throw new ConfigError(`${placeOf(broken.pos[0])}: ${broken.message}`);
  const { contents } = document;
  if (contents === null || (isScalar(contents) && contents.value === null)) return new Map();
  if (!isMap(contents)) throw new ConfigError(`${placeOf(0)}: a policy file maps names of rules to rules`);
  return new Map(
    contents.items.map(({ key, value }) => {
      const place = placeOf((isScalar(key) && key.range?.[0]) || 0);
      if (!isScalar(key) || typeof key.value !== 'string')
        throw new ConfigError(`${place}: the name of a rule is a text`);
      if (!isScalar(value) || typeof value.value !== 'string')
        throw new ConfigError(
          `${place}: ${key.value}: a rule is a text, such as "rule:admin_only"; "" allows all, "!" nobody; lists of lists are not supported`,
        );
      return [key.value, { text: value.value, place }];
    }),
  );
}
