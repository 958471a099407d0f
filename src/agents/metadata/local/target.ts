import { Refused } from '../request.ts';

/** The longest path of the metadata API has 50 characters, those with names of keys a few hundred. */
const MAX_PATH = 1_024;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are rejected
const CONTROL = /[\u0000-\u001f\u007f]/;

/**
 * Returns the decoded segments of a request's path; slashes at its end and repeated ones count for nothing, as in Nova. Throws Refused:
 * 400 for what is not decodable or contains control characters, 404 for relative segments and paths of excessive length.
 */
export function segmentsOf(target: string): readonly string[] {
  const [path = ''] = target.split('?', 1);
  if (path.length > MAX_PATH) throw new Refused(404, `a path of ${path.length} characters`);
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    throw new Refused(400, 'the path is not percent-encoded UTF-8');
  }
  if (CONTROL.test(decoded)) throw new Refused(400, 'the path contains control characters');
  const segments = decoded.split('/').filter((segment) => segment !== '');
  if (segments.includes('..') || segments.includes('.')) throw new Refused(404, 'the path is relative');
  return segments;
}
