import type { Document } from './module.ts';

/** Returns the named attributes of a document; default: all. */
export function pickFields(document: Document, fields: readonly string[] | undefined): Document {
  if (!fields) return document;
  return Object.fromEntries(fields.filter((f) => Object.hasOwn(document, f)).map((f) => [f, document[f]]));
}

/** Returns a document without some of its attributes. */
export function without(document: Document, names: readonly string[]): Document {
  if (names.length === 0) return document;
  const copy: Record<string, unknown> = { ...document };
  for (const name of names) delete copy[name];
  return copy;
}

/**
 * As `without`, for long lists: JSON leaves out undefined values, and deleting properties would change how the engine stores a
 * document, after which writing it takes twice as long.
 */
export function blanked(document: Document, names: readonly string[]): Document {
  const copy: Record<string, unknown> = { ...document };
  for (const name of names) if (name in copy) copy[name] = undefined;
  return copy;
}
