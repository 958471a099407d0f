import type { AttributeType } from './attribute.ts';
import { invalidAttribute, shown } from './errors.ts';
import { text } from './types.ts';

const MAX_FQDN = 255;
const LABEL = /^[A-Za-z0-9-]{1,63}$/;

/** Returns why a name is not a partially or fully qualified domain name (RFC 1123 labels); undefined if it is one. */
function fault(name: string): string | undefined {
  const labels = (name.endsWith('.') ? name.slice(0, -1) : name).split('.');
  for (const label of labels) {
    if (label === '') return 'Encountered an empty component';
    if (label.startsWith('-') || label.endsWith('-')) return `Name '${label}' must not start or end with a hyphen`;
    if (!LABEL.test(label))
      return `Name '${label}' must be 1-63 characters long, each of which can only be alphanumeric or a hyphen`;
  }
  if (labels.length > 1 && /^\d+$/.test(labels.at(-1) ?? '')) return `TLD '${labels.at(-1)}' must not be all numeric`;
  return undefined;
}

function parseDnsName(value: unknown, attribute: string): string {
  const name = text(MAX_FQDN).parse(value, attribute);
  const why = name === '' ? undefined : fault(name);
  if (why) throw invalidAttribute(attribute, `'${shown(name)}' not a valid PQDN or FQDN. Reason: ${why}`);
  return name;
}

/** The host name of a port: empty, a label, or a domain name; stored in lower case. */
export const dnsName: AttributeType<string> = {
  schema: { type: 'string', maxLength: MAX_FQDN },
  parse: (value, attribute) => parseDnsName(value, attribute).toLowerCase(),
  filter: (value) => value.toLowerCase(),
};

/** The name of a floating IP below its domain: empty, or without a trailing dot; in lower case. */
export const relativeDnsName: AttributeType<string> = {
  ...dnsName,
  parse(value, attribute) {
    const name = dnsName.parse(value, attribute);
    if (name.endsWith('.'))
      throw invalidAttribute(attribute, `'${shown(name)}' ends with a dot; a relative name is needed`);
    return name;
  },
};

/** A domain: empty, or a fully qualified name with a trailing dot; stored in lower case. */
export const dnsDomain: AttributeType<string> = {
  schema: { type: 'string', maxLength: MAX_FQDN },
  parse(value, attribute) {
    const name = parseDnsName(value, attribute);
    if (name !== '' && !name.endsWith('.')) throw invalidAttribute(attribute, `'${shown(name)}' is not a FQDN`);
    return name.toLowerCase();
  },
  filter: (value) => value.toLowerCase(),
};
