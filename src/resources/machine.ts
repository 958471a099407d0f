import { type AttributeType, resource } from './attribute.ts';
import { invalidAttribute, shown } from './errors.ts';
import { identity } from './standard.ts';
import { dictionary, line, nullable, shownOnly, text } from './types.ts';

/** As in Nova: 64 KiB in base64. */
const MAX_USER_DATA = 65_535;
const MAX_KEYS = 16;
/** All keys together; 16 RSA keys of 16,384 bits take 45 KiB. */
const MAX_KEY_BYTES = 60_000;
const MAX_PASSWORD = 1_020;

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
/** Characters that Nova accepts in names of key pairs. */
const KEY_NAME = /^[\w .@-]{1,255}$/;
/** Type, key in base64, and a comment (sshd(8), AUTHORIZED_KEYS FILE FORMAT) without options. */
const KEY = /^[a-z0-9][a-z0-9.@-]{2,63} [A-Za-z0-9+/]{16,}={0,2}(?: [^\p{Cc}]{0,1024})?$/u;

const base64 = text(MAX_USER_DATA);
const userData: AttributeType<string> = {
  ...base64,
  schema: { type: 'string', contentEncoding: 'base64', maxLength: MAX_USER_DATA },
  parse(value, attribute) {
    const parsed = base64.parse(value, attribute);
    if (!BASE64.test(parsed)) throw invalidAttribute(attribute, `'${shown(parsed)}' is not base64`);
    return parsed;
  },
};

const object = dictionary(MAX_KEY_BYTES);
const publicKeys: AttributeType<Readonly<Record<string, string>>> = {
  schema: { type: 'object', maxProperties: MAX_KEYS, additionalProperties: { type: 'string' } },
  parse(value, attribute) {
    const given = Object.entries(object.parse(value, attribute));
    if (given.length > MAX_KEYS)
      throw invalidAttribute(attribute, `${given.length} keys exceed the limit of ${MAX_KEYS}`);
    return Object.fromEntries(
      given.map(([name, key]) => {
        if (!KEY_NAME.test(name)) throw invalidAttribute(attribute, `'${shown(name)}' is not a name of a key`);
        const text = typeof key === 'string' ? key.trim() : '';
        if (!KEY.test(text)) throw invalidAttribute(attribute, `'${shown(key)}' is not an OpenSSH public key`);
        return [name, text];
      }),
    );
  },
  store: (value) => JSON.stringify(value),
  load: (stored) => JSON.parse(String(stored)) as Readonly<Record<string, string>>,
};

const { id, name, tenant_id, project_id } = identity('machines');

/**
 * Machines, an extension of Neutrino below /neutrino/v1: what a metadata agent with `metadata_provider = local` tells a machine besides
 * what follows from its ports. Nothing here reaches other agents.
 */
export const MACHINE = resource({
  name: 'machine',
  plural: 'machines',
  path: 'machines',
  base: '/neutrino/v1',
  table: 'machines',
  methods: ['create', 'list', 'show', 'update', 'delete'],
  help: 'metadata of the machine to which the ports of a project with a device_id belong; removed with the last of these ports',
  attributes: {
    id,
    device_id: {
      type: line(255),
      post: true,
      column: 'machines.device_id',
      sort: true,
      help: 'device_id of its ports; the instance id in its metadata',
    },
    name: { ...name, help: 'name in its metadata, also its host name unless a port has a dns_name' },
    user_data: {
      type: nullable(userData),
      post: true,
      put: true,
      default: null,
      column: 'machines.user_data',
      filter: false,
      // 64 KiB each are too much for a list.
      visible: 'sometimes',
      help: 'user data in base64, as for cloud-init; not in lists',
    },
    public_keys: {
      type: publicKeys,
      post: true,
      put: true,
      default: {},
      column: 'machines.public_keys',
      filter: false,
      help: 'OpenSSH public keys by name',
    },
    password: {
      type: shownOnly(nullable(text(MAX_PASSWORD))),
      column: 'machines.password',
      filter: false,
      help: 'password that the machine has set, encrypted with its key',
    },
    tenant_id,
    project_id,
  },
});
