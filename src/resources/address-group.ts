import { formatCidr, parseCidr } from '../net/addresses.ts';
import { type AttributeType, resource } from './attribute.ts';
import { invalidAttribute, shown } from './errors.ts';
import { extension } from './extensions.ts';
import { readPrefix } from './security-group-types.ts';
import { identity, standardAttributes } from './standard.ts';
import { cidr, emptyIfNull, listOf, readOnly } from './types.ts';
import { objectOf } from './validate.ts';

/** Most addresses that one request adds or removes. */
const MOST = 1000;

/** An address or a prefix, whose host bits are cleared. */
const addressOrPrefix: AttributeType<string> = {
  schema: { type: 'string' },
  parse(value, attribute) {
    const parsed = parseCidr(readPrefix(value) ?? '');
    if (!parsed) throw invalidAttribute(attribute, `'${shown(value)}' is neither an IP address nor a prefix`);
    return formatCidr(parsed);
  },
};

const change = objectOf({
  addresses: { type: listOf(addressOrPrefix, { max: MOST }), post: true, help: 'addresses and prefixes' },
});
const answer = {
  type: 'object',
  properties: { address_group: { $ref: '#/components/schemas/AddressGroup' } },
} as const;

/** Address groups (API reference: Networking v2.0, Address groups). */
export const ADDRESS_GROUP = resource({
  name: 'address_group',
  plural: 'address_groups',
  path: 'address-groups',
  table: 'address_groups',
  sharing: { table: 'addressgrouprbacs', actions: ['access_as_shared'], extension: 'rbac-address-group' },
  standardAttributes: 'address_groups',
  methods: ['create', 'list', 'show', 'update', 'delete'],
  policy: { show: 'addressGroupReader', create: 'owner' },
  actions: {
    add_addresses: { method: 'put', body: change, answer, help: 'add addresses' },
    remove_addresses: { method: 'put', body: change, answer, help: 'remove addresses' },
  },
  extension: 'address-group',
  brings: [
    extension(
      'address-group',
      'Address group',
      '2020-07-15T10:00:00-00:00',
      'Named sets of addresses for security group rules.',
    ),
    extension(
      'rbac-address-group',
      'Add address_group type to RBAC',
      '2021-01-20T00:00:00-00:00',
      'Address groups can be shared.',
    ),
  ],
  help: 'addresses that security group rules refer to',
  attributes: {
    ...identity('address_groups'),
    description: standardAttributes.description,
    addresses: {
      type: emptyIfNull(listOf(cidr, { max: MOST, unique: true })),
      post: true,
      default: [],
      help: 'prefixes, whose host bits are cleared; changed by add_addresses and remove_addresses',
    },
    // As in Neutron, only rules of the policy see it.
    shared: { type: readOnly<boolean>({ type: 'boolean' }), visible: false, help: 'shared with the caller' },
  },
});
