import type { Caller } from './contract.ts';

/**
 * The policy language of oslo.policy (oslo.policy: Policy Syntax): `role:member and project_id:%(project_id)s or rule:shared`.
 */

/** The target of an action: attributes of a resource, or of the one to create. */
export type Target = Readonly<Record<string, unknown>>;

/** A compiled rule. */
export type Check = (caller: Caller, target: Target) => boolean;

/** A rule that cannot be parsed; the message names the part and what is expected. */
export class PolicySyntaxError extends Error {
  /** Name of the rule; undefined while it is parsed. */
  readonly rule: string | undefined;

  constructor(message: string, rule?: string) {
    super(message);
    this.name = 'PolicySyntaxError';
    this.rule = rule;
  }
}

/** What a rule refers to, besides the caller. */
export interface References {
  /** Names of other rules. */
  readonly rules: Set<string>;
  /**
   * Resources that it compares an attribute of: `network` in `%(network:tenant_id)s`, `networks` in `field:networks:shared=True`.
   */
  readonly relations: Set<string>;
  /** It depends on the target. */
  target: boolean;
}

/** Longest rule and deepest nesting that are accepted. */
const MAX_TEXT = 10_000;
const MAX_DEPTH = 50;

const TOKEN = /\s*(\(|\)|'[^']*'(?::(?:%\([^)\s]*\)s|[^\s()%]|%)+)?|(?:%\([^)\s]*\)s|[^\s()%]|%)+)/y;

function tokensOf(text: string): readonly string[] {
  if (text.length > MAX_TEXT) throw new PolicySyntaxError(`a rule of ${text.length} characters exceeds ${MAX_TEXT}`);
  const tokens: string[] = [];
  const end = text.trimEnd().length;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < end) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (!match?.[1]) throw new PolicySyntaxError(`'${text.slice(at).trim()}' cannot be read`);
    tokens.push(match[1]);
  }
  return tokens;
}

/** The credentials of a caller, by the names that rules use. */
function credential(caller: Caller, name: string): unknown {
  switch (name) {
    case 'user_id':
    case 'user':
      return caller.userId;
    case 'project_id':
    case 'tenant_id':
    case 'tenant':
      return caller.projectId;
    case 'domain_id':
      return caller.domainId;
    case 'user_domain_id':
      return caller.userDomainId;
    case 'project_domain_id':
      return caller.projectDomainId;
    case 'is_admin':
      return caller.isAdmin ? 'True' : 'False';
    case 'system_scope':
      return caller.systemScope ? 'all' : '';
    case 'roles':
      return caller.roles;
    case 'service_roles':
      return caller.serviceRoles;
    default:
      return undefined;
  }
}

/** Python's way to write a value, which rules compare with. */
const written = (value: unknown): string =>
  value === true ? 'True' : value === false ? 'False' : value === null ? 'None' : String(value);

/** Returns a value of the target; `tenant_id` and `project_id` are the same, also of related resources. */
function targetValue(target: Target, name: string): unknown {
  if (Object.hasOwn(target, name)) return target[name];
  const other = name.endsWith('tenant_id')
    ? name.replace(/tenant_id$/, 'project_id')
    : name.endsWith('project_id')
      ? name.replace(/project_id$/, 'tenant_id')
      : undefined;
  return other !== undefined && Object.hasOwn(target, other) ? target[other] : undefined;
}

/** `%(name)s` within the right side of a check. */
function substitution(text: string, refs: References): (target: Target) => string | undefined {
  const whole = /^%\(([^)]+)\)s$/.exec(text);
  for (const [, name = ''] of text.matchAll(/%\(([^)]+)\)s/g)) {
    refs.target = true;
    const related = /^(.+):(?:tenant|project)_id$/.exec(name)?.[1];
    if (related !== undefined) refs.relations.add(related);
  }
  if (whole) {
    const name = whole[1] ?? '';
    return (target) => {
      const value = targetValue(target, name);
      return value === undefined || value === null ? undefined : written(value);
    };
  }
  if (!text.includes('%(')) return () => text;
  return (target) => {
    let missing = false;
    const filled = text.replace(/%\(([^)]+)\)s/g, (_, name: string) => {
      const value = targetValue(target, name);
      if (value === undefined) missing = true;
      return written(value);
    });
    return missing ? undefined : filled;
  };
}

/** `field:networks:shared=True`, `field:port:device_owner=~^network:`. */
function fieldCheck(text: string, refs: References): Check {
  refs.target = true;
  const match = /^([^:]+):([^=]+)=(~?)(.*)$/.exec(text);
  if (!match) throw new PolicySyntaxError(`'field:${text}' is not field:RESOURCE:ATTRIBUTE=VALUE`);
  const [, resource = '', name = '', regex = '', wanted = ''] = match;
  refs.relations.add(resource);
  if (regex === '') return (_caller, target) => Object.hasOwn(target, name) && written(target[name]) === wanted;
  let pattern: RegExp;
  try {
    pattern = linear(wanted);
  } catch (error) {
    throw new PolicySyntaxError(`'${wanted}': ${error instanceof Error ? error.message : error}`);
  }
  return (_caller, target) => {
    const value = target[name];
    return typeof value === 'string' && pattern.test(value.slice(0, 1000));
  };
}

/** A regular expression without repeated groups, whose time cannot grow exponentially (CVE-2014-7821). */
function linear(pattern: string): RegExp {
  if (/\)[*+{]/.test(pattern) || /\\[1-9]/.test(pattern)) throw new Error('groups cannot be repeated');
  return new RegExp(`^(?:${pattern})`, 'u');
}

const literal = /^(?:'(.*)'|"(.*)"|(-?\d+(?:\.\d+)?|True|False|None))$/;

function singleCheck(text: string, refs: References): Check {
  if (text === '@') return () => true;
  if (text === '!') return () => false;
  const at = text.startsWith("'") ? text.indexOf(':', text.indexOf("'", 1)) : text.indexOf(':');
  if (at <= 0) throw new PolicySyntaxError(`'${text}' is not KIND:VALUE, such as role:member or rule:owner`);
  const [kind, value] = [text.slice(0, at), text.slice(at + 1)];
  if (value === '') throw new PolicySyntaxError(`'${text}' has no value`);
  if (kind === 'http' || kind === 'https') throw new PolicySyntaxError(`'${kind}:' checks are not supported`);
  if (kind === 'field') return fieldCheck(value, refs);
  const right = substitution(value, refs);
  if (kind === 'role')
    return (caller, target) => {
      const role = right(target)?.toLowerCase();
      return role !== undefined && caller.roles.includes(role);
    };
  const fixed = literal.exec(kind);
  if (fixed) {
    const left = fixed[1] ?? fixed[2] ?? fixed[3] ?? '';
    return (_caller, target) => right(target) === left;
  }
  return (caller, target) => {
    const own = credential(caller, kind);
    const wanted = right(target);
    if (own === undefined || own === '' || wanted === undefined) return false;
    return Array.isArray(own) ? own.includes(wanted) : own === wanted;
  };
}

/**
 * Compiles a rule. `resolve` returns the check of another rule that it refers to. Throws PolicySyntaxError, which names the part
 * that is wrong.
 */
export function compileRule(text: string, resolve: (name: string) => Check): { check: Check; refs: References } {
  const refs: References = { rules: new Set(), relations: new Set(), target: false };
  const tokens = tokensOf(text);
  let at = 0;
  const isWord = (word: string): boolean => tokens[at]?.toLowerCase() === word;

  const primary = (depth: number): Check => {
    if (depth > MAX_DEPTH) throw new PolicySyntaxError(`parentheses are nested deeper than ${MAX_DEPTH}`);
    const token = tokens[at];
    if (token === undefined) throw new PolicySyntaxError('the rule ends where a check is expected');
    at++;
    if (token === '(') {
      const inner = either(depth + 1);
      if (tokens[at] !== ')') throw new PolicySyntaxError(`')' is missing after '${tokens[at - 1]}'`);
      at++;
      return inner;
    }
    const lower = token.toLowerCase();
    if (lower === 'not') {
      const inner = primary(depth + 1);
      return (caller, target) => !inner(caller, target);
    }
    if (token === ')' || lower === 'and' || lower === 'or')
      throw new PolicySyntaxError(`'${token}' stands where a check is expected`);
    if (token.startsWith('rule:')) {
      const name = token.slice('rule:'.length);
      if (name === '') throw new PolicySyntaxError("'rule:' has no value");
      refs.rules.add(name);
      return resolve(name);
    }
    return singleCheck(token, refs);
  };
  const both = (depth: number): Check => {
    const parts = [primary(depth)];
    while (isWord('and')) {
      at++;
      parts.push(primary(depth));
    }
    const [first, ...more] = parts;
    return more.length === 0 && first ? first : (caller, target) => parts.every((part) => part(caller, target));
  };
  const either = (depth: number): Check => {
    const parts = [both(depth)];
    while (isWord('or')) {
      at++;
      parts.push(both(depth));
    }
    const [first, ...more] = parts;
    return more.length === 0 && first ? first : (caller, target) => parts.some((part) => part(caller, target));
  };

  if (tokens.length === 0) return { check: () => true, refs };
  const check = either(0);
  if (at < tokens.length) throw new PolicySyntaxError(`'${tokens[at]}' stands where 'and' or 'or' is expected`);
  return { check, refs };
}
