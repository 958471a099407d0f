import { type AttributeType, resource } from './attribute.ts';
import { invalidAttribute, neutronError, shown } from './errors.ts';
import { extension } from './extensions.ts';
import { identity, standardAttributes, tags } from './standard.ts';
import { boolean, readOnly, shownAs, uuid } from './types.ts';
import { objectOf } from './validate.ts';

/** A port of a trunk, whose frames the parent port carries with this segmentation. */
export interface SubPort {
  readonly port_id: string;
  readonly segmentation_type: 'vlan';
  readonly segmentation_id: number;
}

/** The trunk of a parent port, in the document of the port. */
export interface TrunkDetails {
  readonly trunk_id: string;
  readonly sub_ports: readonly (SubPort & { readonly mac_address: string })[];
}

/** A subport in a request: with `inherit`, the segmentation is that of its network. */
export interface WantedSubPort {
  readonly port_id: string;
  readonly segmentation_type?: 'vlan' | 'inherit';
  readonly segmentation_id?: number;
}

/** Maximum number of subports in a request: the number of VLAN ids. */
const MAX_SUBPORTS = 4094;
const KEYS: readonly string[] = ['port_id', 'segmentation_type', 'segmentation_id'];

const subPortSchema = {
  type: 'object',
  required: ['port_id'],
  properties: {
    port_id: uuid.schema,
    segmentation_type: { type: 'string', enum: ['vlan', 'inherit'] },
    segmentation_id: { type: 'integer', minimum: 1, maximum: 4094 },
  },
  additionalProperties: false,
};

/** Returns a VLAN id. Throws InvalidInput. */
function vlanOf(value: unknown): number {
  const id = typeof value === 'string' && /^\d{1,6}$/.test(value) ? Number(value) : value;
  if (typeof id !== 'number' || !Number.isInteger(id))
    throw neutronError('InvalidInput', {
      reason: `segmentation_id '${shown(value)}' of a subport is not an integer`,
    });
  if (id < 1 || id > 4094)
    throw neutronError('InvalidInput', { reason: `segmentation_id ${id} of a subport is not from 1 to 4094` });
  return id;
}

function parseSubPort(item: unknown, attribute: string): WantedSubPort {
  if (item === null || typeof item !== 'object' || Array.isArray(item))
    throw invalidAttribute(attribute, `'${shown(item)}' is not a dictionary`);
  const given = item as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(given).filter((key) => !KEYS.includes(key));
  if (unknown.length > 0)
    throw invalidAttribute(attribute, `'${shown(unknown.join(', '))}' is none of ${KEYS.join(', ')}`);
  if (given.port_id === undefined) throw invalidAttribute(attribute, 'a subport without port_id');
  const port_id = uuid.parse(given.port_id, attribute);
  const { segmentation_type: type, segmentation_id: id } = given;
  if (type !== undefined && type !== 'vlan' && type !== 'inherit')
    throw neutronError('InvalidInput', { reason: `segmentation_type '${shown(type)}' of a subport is unknown` });
  return {
    port_id,
    ...(type === undefined ? {} : { segmentation_type: type }),
    ...(id === undefined ? {} : { segmentation_id: vlanOf(id) }),
  };
}

/** The subports of a request. */
const subPorts: AttributeType<readonly WantedSubPort[]> = {
  schema: { type: 'array', items: subPortSchema, maxItems: MAX_SUBPORTS },
  parse(value, attribute) {
    if (!Array.isArray(value)) throw invalidAttribute(attribute, `'${shown(value)}' is not a list`);
    if (value.length > MAX_SUBPORTS)
      throw invalidAttribute(attribute, `${value.length} items exceed the limit of ${MAX_SUBPORTS}`);
    const parsed = value.map((item: unknown) => parseSubPort(item, attribute));
    const seen = new Set<string>();
    for (const { port_id, segmentation_type: type, segmentation_id: id } of parsed)
      for (const key of [port_id, ...(id === undefined ? [] : [`${type} ${id}`])]) {
        if (seen.has(key)) throw invalidAttribute(attribute, `Duplicate '${key}' in the list of subports`);
        seen.add(key);
      }
    return parsed;
  },
};

const shownSubPorts = readOnly<readonly SubPort[]>({ type: 'array', items: subPortSchema });

/** The body of actions on subports. */
const body = objectOf({ sub_ports: { type: subPorts, post: true, help: 'the subports' } });
/** As in Neutron, actions return the trunk without its key. */
const answer = { $ref: '#/components/schemas/Trunk' };

/** Trunks (API reference: Networking v2.0, Trunk networking). */
export const TRUNK = resource({
  name: 'trunk',
  plural: 'trunks',
  path: 'trunks',
  table: 'trunks',
  standardAttributes: 'trunks',
  tagged: true,
  quota: true,
  methods: ['create', 'list', 'show', 'update', 'delete'],
  policy: { show: 'reader', create: 'creator', update: 'owner', delete: 'owner' },
  actions: {
    add_subports: { method: 'put', body, answer, policy: 'owner', help: 'add subports' },
    remove_subports: { method: 'put', body, answer, policy: 'owner', help: 'remove subports' },
    get_subports: {
      method: 'get',
      answer: { type: 'object', properties: { sub_ports: { type: 'array', items: subPortSchema } } },
      policy: 'anyReader',
      help: 'list the subports',
    },
  },
  extension: 'trunk',
  brings: [
    extension('trunk', 'Trunk Extension', '2016-01-01T10:00:00-00:00', 'Ports that carry several networks.'),
    extension(
      'trunk-details',
      'Trunk port details',
      '2016-01-01T10:00:00-00:00',
      'The trunk of a port, in the document of the port.',
    ),
  ],
  help: 'carries the traffic of several ports of a machine over one of them, tagged by VLAN id',
  attributes: {
    ...identity('trunks'),
    admin_state_up: {
      type: boolean,
      post: true,
      put: true,
      default: true,
      column: 'trunks.admin_state_up',
      sort: true,
      help: 'administrative state; subports of a disabled trunk cannot be changed',
    },
    port_id: { type: uuid, post: true, column: 'trunks.port_id', sort: true, help: 'the parent port' },
    status: {
      type: readOnly<string>({ type: 'string' }),
      column: 'trunks.status',
      sort: true,
      help: 'DOWN, BUILD, ACTIVE, DEGRADED or ERROR',
    },
    sub_ports: {
      type: shownAs(subPorts, shownSubPorts),
      post: true,
      default: [],
      help: 'the subports',
    },
    ...standardAttributes,
    ...tags,
  },
});
