import { neutronError, shown } from './errors.ts';
import { lineFault } from './types.ts';

/** Characters of a tag at most, as in Neutron. */
export const MAX_TAG_LENGTH = 255;
/** Tags of one resource at most. Neutron knows no bound; here lists, and what agents are told, carry them all. */
export const MAX_TAGS = 256;

const invalid = (reason: string) => neutronError('InvalidInput', { reason });

/** What two tags that are one have in common: MariaDB's keys take no account of spaces at the end, so neither do we. */
export const tagKey = (tag: string): string => tag.replace(/ +$/, '');

/** That a resource would have more tags than may be. */
export const tooManyTags = (count: number) => invalid(`${count} tags are more than the ${MAX_TAGS} of one resource`);

/** Checks a tag. Throws InvalidInput. */
export function parseTag(value: unknown): string {
  const fault = lineFault(value, MAX_TAG_LENGTH);
  if (fault !== undefined) throw invalid(fault);
  return value as string;
}

/** The tags of a body `{"tags": ["red", "blue"]}`, each once. Throws InvalidInput. */
export function parseTags(body: unknown): readonly string[] {
  if (body === null || typeof body !== 'object' || !Object.hasOwn(body, 'tags')) throw invalid('Invalid tags body');
  const { tags } = body as { tags: unknown };
  if (!Array.isArray(tags)) throw invalid(`'${shown(tags)}' is not a list`);
  if (tags.length > MAX_TAGS) throw tooManyTags(tags.length);
  const parsed = tags.map(parseTag);
  if (new Set(parsed.map(tagKey)).size < parsed.length)
    throw invalid(`Duplicate items in the list: '${shown(parsed.join(', '))}'`);
  return parsed;
}
