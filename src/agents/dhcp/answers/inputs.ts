import type { PortDocument } from '../../../rpc/documents.ts';

const asItIs = (value: unknown): unknown => value;
/** Lists of records, by some of their attributes: notifications and whole documents differ in the others. */
const records =
  <K extends string>(...keys: readonly K[]) =>
  (list: readonly Readonly<Record<K, unknown>>[] = []): unknown =>
    list.map((one) => keys.map((key) => one[key]));

type InputName =
  | 'mac_address'
  | 'admin_state_up'
  | 'device_id'
  | 'device_owner'
  | 'fixed_ips'
  | 'dns_assignment'
  | 'extra_dhcp_opts';

/**
 * A port as far as answers depend on it; `status` only says whether a machine may be running. What answers for a port takes
 * this type, so that an attribute that the comparison below forgets does not compile there.
 */
export type PortInput = Pick<PortDocument, InputName | 'id' | 'status'>;

/** What of each attribute counts. */
const INPUTS: { readonly [K in InputName]: (value: PortInput[K]) => unknown } = {
  mac_address: asItIs,
  admin_state_up: asItIs,
  device_id: asItIs,
  device_owner: asItIs,
  fixed_ips: records('subnet_id', 'ip_address'),
  dns_assignment: records('ip_address', 'hostname', 'fqdn'),
  extra_dhcp_opts: records('opt_name', 'opt_value', 'ip_version'),
};
const NAMES = Object.keys(INPUTS) as InputName[];

const read = <K extends InputName>(name: K, port: PortInput): unknown => INPUTS[name](port[name]);
const essence = (port: PortInput): string => JSON.stringify(NAMES.map((name) => read(name, port)));

/** Whether a DHCP server answers the same for two documents of one port. */
export function isSameForDhcp(one: PortInput, two: PortInput): boolean {
  return essence(one) === essence(two);
}
