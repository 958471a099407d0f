/** A JSON number that keeps its text (ECMAScript proposal JSON.parse source text access; V8 has it). */
interface RawJson {
  readonly rawJSON: string;
}

declare global {
  interface JSON {
    /** Returns a value that JSON.stringify writes as this text. */
    rawJSON(text: string): RawJson;
  }
}

/** An integer of a response, however large. */
export type JsonInteger = number | RawJson;

/** Returns an integer as JSON writes it exactly: a JavaScript number is exact only up to 2^53. */
export const jsonInteger = (value: bigint): JsonInteger =>
  value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : JSON.rawJSON(value.toString());
