/** Maximum length of one message, in characters: an `ovsdb-server` with tens of thousands of ports stays far below. */
const MAX_MESSAGE = 64 * 1024 * 1024;

/**
 * Splits a stream of JSON objects without separators (RFC 7047, section 4: JSON-RPC 1.0 over a stream). Each character is looked
 * at once.
 */
export class JsonStream {
  #parts: string[] = [];
  #length = 0;
  #depth = 0;
  #inString = false;
  #escaped = false;

  /** Returns the objects that this text completes. Throws for what cannot be JSON, and for a message that is too long. */
  push(text: string): readonly unknown[] {
    const found: unknown[] = [];
    let start = 0;
    for (let at = 0; at < text.length; at += 1) {
      const char = text[at];
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (char === '\\') this.#escaped = true;
        else if (char === '"') this.#inString = false;
      } else if (char === '"') this.#inString = true;
      else if (char === '{' || char === '[') this.#depth += 1;
      else if (char === '}' || char === ']') {
        this.#depth -= 1;
        if (this.#depth > 0) continue;
        this.#parts.push(text.slice(start, at + 1));
        found.push(JSON.parse(this.#parts.join('')));
        this.#parts = [];
        this.#length = 0;
        this.#depth = 0;
        start = at + 1;
      }
    }
    const rest = text.slice(start);
    if (this.#depth === 0 && rest.trim() !== '') throw new Error(`not JSON-RPC: ${JSON.stringify(rest.slice(0, 80))}`);
    if (rest !== '') this.#parts.push(rest);
    this.#length += rest.length;
    if (this.#length > MAX_MESSAGE) throw new Error(`a message is longer than ${MAX_MESSAGE} characters`);
    return found;
  }
}
