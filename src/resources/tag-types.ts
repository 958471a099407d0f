import type { Action, AttributeType, Resource } from './attribute.ts';
import { neutronError, shown } from './errors.ts';
import { lineFault } from './types.ts';

/** Maximum length of a tag in characters, as in Neutron. */
const MAX_TAG_LENGTH = 255;
/** Maximum number of tags per resource. Neutron has no such limit, but lists and agent notifications carry all tags. */
export const MAX_TAGS = 256;

const invalid = (reason: string) => neutronError('InvalidInput', { reason });

/** Returns the key by which tags are compared: MariaDB's keys ignore trailing spaces, so Neutrino does too. */
export const tagKey = (tag: string): string => tag.replace(/ +$/, '');

/** Returns the error for a resource that would have too many tags. */
export const tooManyTags = (count: number) => invalid(`${count} tags exceed the limit of ${MAX_TAGS} per resource`);

/** Checks a tag. Throws InvalidInput. */
export function parseTag(value: unknown): string {
  const fault = lineFault(value, MAX_TAG_LENGTH);
  if (fault !== undefined) throw invalid(fault);
  return value as string;
}

const listSchemaOfTags = {
  type: 'array',
  items: { type: 'string', maxLength: MAX_TAG_LENGTH },
  maxItems: MAX_TAGS,
} as const;

/** Tags of a resource, each once. */
export const tagList: AttributeType<readonly string[]> = {
  schema: listSchemaOfTags,
  parse(tags) {
    if (!Array.isArray(tags)) throw invalid(`'${shown(tags)}' is not a list`);
    if (tags.length > MAX_TAGS) throw tooManyTags(tags.length);
    const parsed = tags.map(parseTag);
    if (new Set(parsed.map(tagKey)).size < parsed.length)
      throw invalid(`Duplicate items in the list: '${shown(parsed.join(', '))}'`);
    return parsed;
  },
};

/** A body `{"tags": ["red", "blue"]}`. */
const tagsBody: AttributeType<readonly string[]> = {
  schema: {
    type: 'object',
    required: ['tags'],
    properties: { tags: listSchemaOfTags },
  },
  parse(body) {
    if (body === null || typeof body !== 'object' || !Object.hasOwn(body, 'tags')) throw invalid('Invalid tags body');
    return tagList.parse((body as { tags: unknown }).tags, 'tags');
  },
};

const listSchema = {
  type: 'object',
  required: ['tags'],
  properties: { tags: { type: 'array', items: { type: 'string' } } },
};

/**
 * Actions of the tags of a resource (API reference: Standard attributes tag extension). Their rules have the resource's singular
 * name: plural ones matched no rule of Neutron's (CVE-2024-53916, CVE-2026-49299).
 */
export function tagActions({ name, path, tagPath = path, policyName = name, policy }: Resource) {
  const tagger = policy?.tags ?? 'tagger';
  return {
    list_tags: {
      method: 'get',
      path: 'tags',
      collection: tagPath,
      answer: listSchema,
      policyName: `get_${policyName}:tags`,
      policy: 'anybody',
      notFound: 'TagResourceNotFound',
      help: 'list the tags',
    },
    replace_tags: {
      method: 'put',
      path: 'tags',
      collection: tagPath,
      body: tagsBody,
      answer: listSchema,
      policyName: `update_${policyName}:tags`,
      policy: tagger,
      notFound: 'TagResourceNotFound',
      help: 'replace all tags',
    },
    delete_tags: {
      method: 'delete',
      path: 'tags',
      collection: tagPath,
      policyName: `delete_${policyName}:tags`,
      policy: tagger,
      notFound: 'TagResourceNotFound',
      help: 'remove all tags',
    },
    show_tag: {
      method: 'get',
      path: 'tags/{tag}',
      collection: tagPath,
      policyName: `get_${policyName}:tags`,
      policy: 'anybody',
      notFound: 'TagResourceNotFound',
      help: 'check whether a tag is set',
    },
    add_tag: {
      method: 'put',
      path: 'tags/{tag}',
      collection: tagPath,
      // Neutron's response has a body: the JSON value null.
      answer: { type: 'null' },
      status: 201,
      policyName: `update_${policyName}:tags`,
      policy: tagger,
      notFound: 'TagResourceNotFound',
      help: 'add a tag',
    },
    delete_tag: {
      method: 'delete',
      path: 'tags/{tag}',
      collection: tagPath,
      policyName: `delete_${policyName}:tags`,
      policy: tagger,
      notFound: 'TagResourceNotFound',
      help: 'remove a tag',
    },
  } as const satisfies Readonly<Record<string, Action>>;
}
