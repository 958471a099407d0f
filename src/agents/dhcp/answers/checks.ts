import { isIPv4, isIPv6 } from 'node:net';
import { MAC } from '../../../net/patterns.ts';
import { Refused } from './refusals.ts';

/** Returns `field`. Throws Refused when the value is not what it has to be. */
export function check(ok: boolean, what: string, value: string, wanted: string, field = value): string {
  if (!ok) throw new Refused(what, value, wanted);
  return field;
}

export function checkedMac(text: string): string {
  return check(MAC.test(text), 'MAC address', text, 'six bytes such as fa:16:3e:00:00:01', text.toLowerCase());
}

export function checkedIpv4(text: string): string {
  return check(isIPv4(text), 'address', text, 'an IPv4 address');
}

export function checkedIpv6(text: string): string {
  // Node also takes a zone behind a percent sign, which is any text.
  return check(isIPv6(text) && !text.includes('%'), 'address', text, 'an IPv6 address');
}

export function checkedIp(text: string): string {
  return text.includes(':') ? checkedIpv6(text) : checkedIpv4(text);
}

export function checkedIpv4Cidr(text: string): string {
  const [network = '', length = '', more] = text.split('/');
  const ok = more === undefined && isIPv4(network) && /^\d{1,2}$/.test(length) && Number(length) <= 32;
  return check(ok, 'destination', text, 'an IPv4 network such as 10.0.0.0/24');
}

/** Ids become names of folders, tags and the like. */
export function checkedId(text: string): string {
  return check(/^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/.test(text), 'id', text, 'letters, digits and hyphens, at most 64');
}
