import type { AttributeType } from './attribute.ts';
import { invalidAttribute, neutronError, shown } from './errors.ts';
import { integer, line, nullable } from './types.ts';

/** One segment of a network, as in requests and responses. */
export interface SegmentText {
  readonly 'provider:network_type': string | null;
  readonly 'provider:physical_network': string | null;
  readonly 'provider:segmentation_id': number | null;
}

const MAX_SEGMENTS = 64;

/** The attributes of a segment and their types. */
export const SEGMENT_PARTS = {
  'provider:network_type': nullable(line(32)),
  'provider:physical_network': nullable(line(64)),
  'provider:segmentation_id': nullable(integer()),
} as const satisfies { readonly [K in keyof SegmentText]: AttributeType<SegmentText[K]> };

function parseSegment(item: unknown, attribute: string): SegmentText {
  if (item === null || typeof item !== 'object' || Array.isArray(item))
    throw invalidAttribute(attribute, `'${shown(item)}' is not a dictionary`);
  const given = item as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(given).filter((key) => !Object.hasOwn(SEGMENT_PARTS, key));
  if (unknown.length > 0)
    throw neutronError('HTTPBadRequest', { reason: `Unrecognized attribute(s) '${shown(unknown.join(', '))}'` });
  const part = <K extends keyof SegmentText>(name: K): SegmentText[K] => {
    const type: AttributeType<unknown> = SEGMENT_PARTS[name];
    return type.parse(Object.hasOwn(given, name) ? given[name] : null, name) as SegmentText[K];
  };
  return {
    'provider:network_type': part('provider:network_type'),
    'provider:physical_network': part('provider:physical_network'),
    'provider:segmentation_id': part('provider:segmentation_id'),
  };
}

/** The segments of a network that has several. */
export const segments: AttributeType<readonly SegmentText[]> = {
  schema: {
    type: 'array',
    items: {
      type: 'object',
      properties: Object.fromEntries(Object.entries(SEGMENT_PARTS).map(([name, { schema }]) => [name, schema])),
    },
    maxItems: MAX_SEGMENTS,
  },
  parse(value, attribute) {
    if (!Array.isArray(value)) throw invalidAttribute(attribute, `'${shown(value)}' is not a list`);
    if (value.length > MAX_SEGMENTS)
      throw invalidAttribute(attribute, `${value.length} items exceed the limit of ${MAX_SEGMENTS}`);
    return value.map((item: unknown) => parseSegment(item, attribute));
  },
};
