import { NeutronError, neutronError } from '../resources/errors.ts';

const MAX_DEPTH = 64;

/** Returns the nesting depth of a JSON text; brackets inside strings do not count. */
function nesting(text: string): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (quoted) {
      if (c === 92) i++;
      else if (c === 34) quoted = false;
    } else if (c === 34) quoted = true;
    else if (c === 123 || c === 91) {
      if (++depth > deepest) deepest = depth;
    } else if (c === 125 || c === 93) depth--;
  }
  return deepest;
}

/**
 * Parses the body of a request: as in Neutron, as JSON regardless of its Content-Type; returns undefined if it is empty. Throws
 * HTTPBadRequest, whose `detail` is the position of the error.
 */
export function parseBody(text: string): unknown {
  if (text === '') return undefined;
  // Code that walks a document recursively must not overflow its stack.
  if (nesting(text) > MAX_DEPTH)
    throw neutronError('HTTPBadRequest', { reason: `Body contains invalid data: it nests deeper than ${MAX_DEPTH}` });
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new NeutronError(
      'HTTPBadRequest',
      'Body contains invalid data',
      (error as SyntaxError).message.slice(0, 300),
    );
  }
}
