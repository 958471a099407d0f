import type { Attributes } from './attribute.ts';
import { integer, line, readOnly, shownOnly, text, uuid } from './types.ts';

/** Attributes of every resource with a name and a project: `...identity('ports')` in a declaration. */
export const identity = <const T extends string>(table: T) =>
  ({
    id: { type: shownOnly(uuid), column: `${table}.id`, sort: true, help: 'UUID of the resource' },
    name: {
      type: line(255),
      post: true,
      put: true,
      default: '',
      column: `${table}.name`,
      sort: true,
      help: 'name; does not have to be unique',
    },
    tenant_id: {
      type: line(255),
      post: true,
      optional: true,
      column: `${table}.project_id`,
      sort: true,
      help: 'project that owns the resource (older name of project_id)',
    },
    project_id: {
      type: line(255),
      post: true,
      optional: true,
      column: `${table}.project_id`,
      sort: true,
      extension: 'project-id',
      help: 'project that owns the resource',
    },
  }) as const satisfies Attributes;

const storedTime = (shown: string): string => shown.replace('T', ' ').replace(/Z$/, '');

/** A time, shown as `2026-11-21T21:50:33Z` and stored as `2026-11-21 21:50:33` (UTC). */
const stamp = readOnly<string>(
  { type: 'string', format: 'date-time' },
  {
    filter: storedTime,
    store: storedTime,
    load: (text) => `${String(text).replace(' ', 'T')}Z`,
  },
);

const counted = readOnly<number>(integer().schema, {
  filter: (value) => (/^\d{1,15}$/.test(value) ? Number(value) : undefined),
  load: Number,
});

/** Attributes stored in `standardattributes`: `...standardAttributes` in a declaration. */
export const standardAttributes = {
  description: {
    type: text(255),
    post: true,
    put: true,
    default: '',
    column: 'standardattributes.description',
    sort: true,
    extension: 'standard-attr-description',
    help: 'free text',
  },
  created_at: {
    type: stamp,
    column: 'standardattributes.created_at',
    sort: true,
    extension: 'standard-attr-timestamp',
    help: 'time of creation (UTC)',
  },
  updated_at: {
    type: stamp,
    column: 'standardattributes.updated_at',
    sort: true,
    extension: 'standard-attr-timestamp',
    help: 'time of the last change (UTC)',
  },
  revision_number: {
    type: counted,
    column: 'standardattributes.revision_number',
    sort: true,
    extension: 'standard-attr-revisions',
    help: 'incremented by every change; If-Match: revision_number=N makes a change conditional',
  },
} as const satisfies Attributes;

/** Tags of resources declared as `tagged`: `...tags` in a declaration. */
export const tags = {
  tags: {
    type: readOnly<readonly string[]>({ type: 'array', items: { type: 'string' } }),
    extension: 'standard-attr-tag',
    help: 'tags',
  },
} as const satisfies Attributes;
