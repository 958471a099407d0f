import type { Attribute } from './attribute.ts';
import { line, readOnly, text, uuid } from './types.ts';

/** Attributes that all resources have: `...identity('ports')` in a declaration. */
export const identity = <const T extends string>(table: T) =>
  ({
    id: { type: readOnly(uuid.schema), column: `${table}.id`, sort: true, help: 'UUID of the resource' },
    name: {
      type: line(255),
      post: true,
      put: true,
      default: '',
      column: `${table}.name`,
      sort: true,
      help: 'name; need not be unique',
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
  }) as const satisfies Record<string, Attribute>;

/** Attributes kept in `standardattributes`: `...standardAttributes` in a declaration. */
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
    type: readOnly({ type: 'string', format: 'date-time' }, timeFilter),
    column: 'standardattributes.created_at',
    sort: true,
    extension: 'standard-attr-timestamp',
    help: 'when it was made (UTC)',
  },
  updated_at: {
    type: readOnly({ type: 'string', format: 'date-time' }, timeFilter),
    column: 'standardattributes.updated_at',
    sort: true,
    extension: 'standard-attr-timestamp',
    help: 'when it was changed last (UTC)',
  },
  revision_number: {
    type: readOnly({ type: 'integer' }, (value) => (/^\d{1,15}$/.test(value) ? Number(value) : undefined)),
    column: 'standardattributes.revision_number',
    sort: true,
    extension: 'standard-attr-revisions',
    help: 'grows with every change; If-Match: revision_number=N makes a change conditional',
  },
  tags: { type: readOnly({ type: 'array', items: { type: 'string' } }), extension: 'standard-attr-tag', help: 'tags' },
} as const satisfies Record<string, Attribute>;

/** `2026-11-21T21:50:33Z` in a filter is `2026-11-21 21:50:33` in the tables. */
function timeFilter(value: string): string {
  return value.replace('T', ' ').replace(/Z$/, '');
}
