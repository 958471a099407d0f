import type { AttributeType } from './attribute.ts';
import { invalidAttribute, neutronError, shown } from './errors.ts';
import { cidr, integer, line, listOf, nullable, readOnly, shownAs, uuid } from './types.ts';

/** `subnetpool_id` of subnets whose prefix a router obtains by prefix delegation (RFC 3633). */
export const PREFIX_DELEGATION = 'prefix_delegation';

/** Maximum number of prefixes of a pool, and of a request: documents contain all of them. */
export const MAX_PREFIXES = 1000;

/** A name that is not blank. */
export const filledLine: AttributeType<string> = {
  ...line(255),
  parse(value, attribute) {
    const name = line(255).parse(value, attribute);
    if (name.trim() === '') throw invalidAttribute(attribute, `'${shown(name)}' is blank`);
    return name;
  },
};

const whole = integer({ min: 0 });

/** A number that is not negative; numeric strings are converted. */
export const nonNegative: AttributeType<number> = {
  ...whole,
  parse(value, attribute) {
    const text = typeof value === 'number' || typeof value === 'string' ? String(value) : '';
    if (!/^\s*[+-]?\d+\s*$/.test(text)) throw invalidAttribute(attribute, `'${shown(value)}' is not an integer`);
    if (Number(text) < 0) throw invalidAttribute(attribute, `'${Number(text)}' should be non-negative`);
    return whole.parse(text, attribute);
  },
};

/** A prefix length of a pool. As in Neutron, responses show it as text, except for those to updates. */
export const poolPrefixLength = shownAs(
  nonNegative,
  readOnly<string | number>(
    { type: ['string', 'integer'] },
    {
      filter: (text) => whole.filter?.(text),
      store: Number,
      load: String,
    },
  ),
);

/** `default_quota` of a pool. */
export const poolQuota = shownAs(nonNegative, nullable(integer()));

/** Prefixes of a pool, each once. */
export const poolPrefixes = listOf(cidr, { max: MAX_PREFIXES, unique: true });

/** The id of a pool, `prefix_delegation`, or null. */
export const poolReference = nullable<string>({
  ...uuid,
  schema: { type: 'string' },
  parse: (value, attribute) => (value === PREFIX_DELEGATION ? PREFIX_DELEGATION : uuid.parse(value, attribute)),
});

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

/** A body `{"prefixes": ["10.0.0.0/8"]}` with at least one prefix. */
export const prefixesBody: AttributeType<readonly string[]> = {
  schema: {
    type: 'object',
    required: ['prefixes'],
    properties: { prefixes: { type: 'array', items: { type: 'string' }, minItems: 1, maxItems: MAX_PREFIXES } },
  },
  parse(body) {
    const prefixes = isObject(body) ? body.prefixes : undefined;
    if (!Array.isArray(prefixes) || prefixes.length === 0)
      throw neutronError('HTTPBadRequest', { reason: 'prefixes must be a list of at least one CIDR' });
    return listOf(cidr, { max: MAX_PREFIXES }).parse(prefixes, 'prefixes');
  },
};

/** A body `{"network_id": "..."}`; returns the id. */
export const onboardBody: AttributeType<string> = {
  schema: { type: 'object', required: ['network_id'], properties: { network_id: uuid.schema } },
  parse(body) {
    const id = isObject(body) ? body.network_id : undefined;
    if (id === undefined || id === null) throw neutronError('InvalidInput', { reason: 'network_id is needed' });
    return uuid.parse(id, 'network_id');
  },
};
