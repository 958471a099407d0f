import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml';
import { ConfigError } from '../../config/parse.ts';

/** Matches a text without control characters that neither begins nor ends with a blank. */
const NAME = /^(?!\s)[^\p{Cc}]+(?<!\s)$/u;

/** A YAML file whose errors name the file and the line. All methods throw ConfigError. */
export class YamlFile {
  readonly root: YAMLMap;
  readonly #file: string;
  readonly #lines = new LineCounter();

  constructor(text: string, file: string) {
    this.#file = file;
    const document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false, uniqueKeys: true });
    const [error] = document.errors;
    if (error) throw new ConfigError(`${file}:${this.#lines.linePos(error.pos[0]).line}: ${error.message}`);
    if (!isMap(document.contents))
      throw new ConfigError(`${file}:1: the file must hold keys such as users and projects`);
    this.root = document.contents;
  }

  /** Returns the error about a part of the file. */
  wrong(node: Node, message: string): ConfigError {
    const line = node.range ? this.#lines.linePos(node.range[0]).line : 1;
    return new ConfigError(`${this.#file}:${line}: ${message}`);
  }

  /** Throws if a map has a key that is none of `known`. */
  keys(map: YAMLMap, known: readonly string[]): void {
    for (const { key } of map.items) {
      const name = isScalar(key) ? String(key.value) : '';
      if (known.includes(name)) continue;
      const at = isScalar(key) ? key : map;
      throw this.wrong(at, `${JSON.stringify(name)} is unknown here; known are ${known.join(', ')}`);
    }
  }

  /** Returns the maps of a list; an absent list is empty. */
  maps(map: YAMLMap, key: string): readonly YAMLMap[] {
    return this.#items(map, key).map((item) => {
      if (isMap(item)) return item;
      throw this.wrong(item, `each entry of ${key} must hold keys such as name`);
    });
  }

  /** Returns the texts of a list; an absent list is empty. */
  names(map: YAMLMap, key: string): readonly string[] {
    return this.#items(map, key).map((item) => this.#name(item, key));
  }

  #items(map: YAMLMap, key: string): readonly Node[] {
    const list = map.get(key, true) as Node | undefined;
    if (list === undefined || (isScalar(list) && list.value === null)) return [];
    if (!isSeq(list)) throw this.wrong(list, `${key} must be a list`);
    return list.items as Node[];
  }

  /** Returns a name; undefined if the key is absent. */
  name(map: YAMLMap, key: string, maxLength = 255): string | undefined {
    const node = map.get(key, true) as Node | undefined;
    return node === undefined ? undefined : this.#name(node, key, maxLength);
  }

  requiredName(map: YAMLMap, key: string, maxLength = 255): string {
    const name = this.name(map, key, maxLength);
    if (name === undefined) throw this.wrong(map, `${key} is missing`);
    return name;
  }

  #name(node: Node, key: string, maxLength = 255): string {
    const text = this.#text(node, key);
    if (NAME.test(text) && text.length <= maxLength) return text;
    throw this.wrong(
      node,
      `${key} must have 1 to ${maxLength} characters, no control characters, and no blank at its beginning or end`,
    );
  }

  /** Returns a text; undefined if the key is absent. */
  text(map: YAMLMap, key: string): string | undefined {
    const node = map.get(key, true) as Node | undefined;
    return node === undefined ? undefined : this.#text(node, key);
  }

  /** Never shows the value, which may be a password. */
  #text(node: Node, key: string): string {
    if (isScalar(node) && typeof node.value === 'string') return node.value;
    throw this.wrong(node, `${key} must be text; write it in quotes`);
  }

  /** Returns true or false; `fallback` if the key is absent. */
  flag(map: YAMLMap, key: string, fallback: boolean): boolean {
    const node = map.get(key, true) as Node | undefined;
    if (node === undefined) return fallback;
    if (isScalar(node) && typeof node.value === 'boolean') return node.value;
    throw this.wrong(node, `${key} must be true or false`);
  }
}
