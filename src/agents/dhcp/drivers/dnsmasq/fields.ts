import {
  checkedId,
  checkedIp,
  checkedIpv4,
  checkedIpv4Cidr,
  checkedIpv6,
  checkedMac,
  check as checkText,
} from '../../answers/checks.ts';
import { Refused } from '../../answers/refusals.ts';

declare const checked: unique symbol;

/**
 * A part of a line for dnsmasq that cannot break out of its position. Only the functions of this file create one, so that no
 * unvalidated external text reaches a file or a command line.
 */
export type Field = string & { readonly [checked]: true };

/** A whole line, without its line feed. */
export type Line = string & { readonly [checked]: true; readonly line: true };

function check(ok: boolean, what: string, value: string, wanted: string): Field {
  return checkText(ok, what, value, wanted) as Field;
}

/** Keywords of the format, literals in the source. */
export function word(literal: string): Field {
  return check(/^[a-z0-9:*=-]+$/i.test(literal), 'word', literal, 'letters, digits, colon, hyphen');
}

export function whole(value: number): Field {
  return check(Number.isSafeInteger(value) && value >= 0, 'number', String(value), 'a whole number from 0 up');
}

export const mac = (text: string): Field => checkedMac(text) as Field;
export const ipv4 = (text: string): Field => checkedIpv4(text) as Field;
const ipv6 = (text: string): Field => checkedIpv6(text) as Field;
export const ipv4Cidr = (text: string): Field => checkedIpv4Cidr(text) as Field;

/** An address as dnsmasq requires it between commas: brackets distinguish an IPv6 address from a MAC address. */
export function address(text: string): Field {
  return text.includes(':') ? (`[${ipv6(text)}]` as Field) : ipv4(text);
}

/** An address as written in a hosts file: without brackets. */
export const plainAddress = (text: string): Field => checkedIp(text) as Field;

/** An id, used as a tag and as a folder name. */
export const id = (text: string): Field => checkedId(text) as Field;

const LABEL = /^[A-Za-z0-9_-]{1,63}$/;

function isName(text: string): boolean {
  const labels = text.replace(/\.$/, '').split('.');
  return text.length <= 253 && labels.every((label) => LABEL.test(label)) && /^[A-Za-z0-9]/.test(text);
}

/** A host name in a hosts file, where any name is one. */
export function plainName(text: string, what = 'name'): Field {
  return check(isName(text), what, text, 'labels of letters, digits and hyphens');
}

/**
 * A host or domain name; a trailing dot is kept. Also rejects texts that dnsmasq would not read as a name in a dhcp-host line
 * (dnsmasq(8), --dhcp-host): a lease time, an address, the words `ignore` and `infinite`.
 */
export function name(text: string, what = 'name'): Field {
  const misread = /^([\d.]+|\d+[smhdw]|ignore|infinite)$/i.test(text);
  const wanted = 'labels of letters, digits and hyphens, not a number, ignore or infinite';
  return check(isName(text) && !misread, what, text, wanted);
}

/** A DHCP client id: hexadecimal bytes with colons, or text. */
export function clientId(text: string): Field {
  const ok = text.length <= 255 && /^[!-~]+$/.test(text) && !/[,"\\#]/.test(text);
  return check(ok, 'client id', text, 'visible characters without comma, quote, backslash and #, at most 255');
}

/** Parses a DHCP option's name or number and the `tag:NAME,` prefixes that restrict it. Returns both, tags with their comma. */
export function optionName(text: string): { readonly tags: Field; readonly option: Field } {
  const found = /^((?:tag:!?[A-Za-z0-9_-]{1,64},)*)([A-Za-z0-9-]{1,64})$/.exec(text);
  if (!found) throw new Refused('DHCP option', text, 'a name or number, after tag:NAME, if need be');
  return { tags: (found[1] ?? '') as Field, option: (found[2] ?? '') as Field };
}

/**
 * The value of a DHCP option, at the end of its line. It may contain commas, which separate multiple values. Quotes have the
 * meaning described in dnsmasq's man page. Rejected: control characters, unclosed quotes, and a # that dnsmasq would read as the
 * start of a comment.
 */
export function optionValue(text: string): Field {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern matches control characters on purpose
  const ok = text !== '' && !/[\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]/u.test(text) && isUnbroken(text);
  return check(ok, 'value of a DHCP option', text, 'text without control characters, open quotes and comments');
}

/** Scans as dnsmasq does (read_file in its option.c: quotes, escapes inside them, # after white space). */
function isUnbroken(text: string): boolean {
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '"') quoted = !quoted;
    else if (quoted && c === '\\' && '"tnebr\\'.includes(text[i + 1] ?? ' ')) i++;
    else if (!quoted && c === '#' && text[i - 1] === ' ') return false;
  }
  return !quoted;
}

/** dnsmasq reads 1,024 bytes at a time (MAXDNAME) and reads the rest of a longer line as another line. */
const MAX_LINE_BYTES = 1023;

/** Joins fields into a line. Throws Refused if the line is longer than dnsmasq reads. */
export function line(separator: ',' | '\t' | ' ', fields: readonly Field[]): Line {
  const text = fields.join(separator);
  if (text.length * 3 > MAX_LINE_BYTES && Buffer.byteLength(text) > MAX_LINE_BYTES) {
    throw new Refused('line', text, `at most ${MAX_LINE_BYTES} bytes`);
  }
  return text as Line;
}

/** Concatenates fields without a separator, as in `set:` and an id. */
export function glue(...fields: readonly Field[]): Field {
  return fields.join('') as Field;
}

/** The text of a file. */
export function fileText(lines: readonly Line[]): string {
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}
