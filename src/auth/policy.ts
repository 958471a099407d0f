import type { Attribute, Method, PolicyVerb, Resource } from '../resources/attribute.ts';
import { neutronError } from '../resources/errors.ts';
import { BASE_RULES, type DefaultRule, POLICY_RULES, type PolicyRule } from '../resources/policy-rules.ts';
import type { Caller, Identity } from './contract.ts';
import { type Check, compileRule, PolicySyntaxError, type Target } from './language.ts';

export type { Target } from './language.ts';

const VERBS: Readonly<Record<Method, string>> = {
  create: 'create',
  list: 'get',
  show: 'get',
  update: 'update',
  delete: 'delete',
};

/** Returns the name of a resource in the policy; a child below its parent's path has both names: `router_conntrack_helper`. */
export const policyNameOf = ({ name, policyName, parent }: Resource): string =>
  policyName ?? (parent?.inPath ? `${parent.name}_${name}` : name);

/** Returns Neutron's policy name for a method of a resource: `create_port`, `get_port`. */
export const methodAction = (resource: Resource, method: Method): string =>
  `${VERBS[method]}_${policyNameOf(resource)}`;

const DEFAULTS: Readonly<Record<PolicyVerb, PolicyRule>> = {
  show: 'reader',
  create: 'creator',
  update: 'owner',
  delete: 'owner',
};

const ATTRIBUTE_VERBS = [
  ['create', 'create'],
  ['update', 'update'],
  ['get', 'show'],
] as const;

/** Returns the rules of an attribute and of the keys of its value, by action. */
function attributeRules(name: string, resource: string, { policy, parts }: Attribute): readonly [string, PolicyRule][] {
  return [[name, policy] as const, ...Object.entries(parts ?? {}).map(([key, of]) => [`${name}:${key}`, of] as const)]
    .flatMap(([path, of]) => ATTRIBUTE_VERBS.map(([verb, key]) => [`${verb}_${resource}:${path}`, of?.[key]] as const))
    .flatMap(([action, rule]) => (rule === undefined ? [] : [[action, rule] as [string, PolicyRule]]));
}

/** Returns the default policy of the declared resources: the rule of each action. */
function declaredRules(resources: readonly Resource[]): ReadonlyMap<string, PolicyRule> {
  const rules = new Map<string, PolicyRule>();
  for (const resource of resources) {
    for (const method of resource.methods) {
      const verb = method === 'list' ? 'show' : method;
      rules.set(methodAction(resource, method), resource.policy?.[verb] ?? DEFAULTS[verb]);
    }
    for (const [name, action] of Object.entries(resource.actions ?? {}))
      rules.set(action.policyName ?? name, action.policy ?? 'owner');
    for (const [name, attribute] of Object.entries(resource.attributes))
      for (const [action, rule] of attributeRules(name, policyNameOf(resource), attribute)) rules.set(action, rule);
  }
  return rules;
}

/** How the default policy is changed. */
export interface PolicyOptions {
  /** Rules of `policy.yaml`, by name. */
  readonly overrides?: ReadonlyMap<string, string>;
  /** `[oslo_policy] enforce_new_defaults`: readers only read; default: true. */
  readonly newDefaults?: boolean;
}

interface Compiled {
  readonly check: Check;
  /** Names, singular or plural, of the resources that the rule compares attributes of. */
  readonly relations: readonly string[];
  readonly dependsOnTarget: boolean;
}

const NONE: Target = {};

/**
 * Decides what callers may do. Actions without a rule are denied to every caller. Throws PolicySyntaxError for rules that cannot
 * be parsed, refer to unknown rules, or to themselves.
 */
export class Policy {
  readonly #texts: ReadonlyMap<string, string>;
  readonly #compiled = new Map<string, Compiled>();
  readonly #actions: readonly string[];
  readonly #newDefaults: boolean;
  /** Attributes with a rule for showing them, by resource. */
  readonly #masked = new Map<string, readonly (readonly [string, Compiled])[]>();

  constructor(resources: readonly Resource[], { overrides, newDefaults = true }: PolicyOptions = {}) {
    const textOf = ({ text, legacy }: DefaultRule): string => (newDefaults ? text : legacy);
    const declared = declaredRules(resources);
    this.#newDefaults = newDefaults;
    this.allowsAdministrators = overrides === undefined || overrides.size === 0;
    this.#actions = [...declared.keys()];
    this.#texts = new Map<string, string>([
      ...Object.entries(BASE_RULES),
      ...[...declared].map(([action, rule]): [string, string] => [action, textOf(POLICY_RULES[rule])]),
      ...(overrides ?? []),
    ]);
    for (const name of this.#texts.keys()) this.#compile(name, []);
    for (const resource of resources) this.#masked.set(resource.name, this.#masksOf(resource));
  }

  /** The default rules hold, which administrators always meet. */
  readonly allowsAdministrators: boolean;

  /** Returns all actions with a rule. */
  get actions(): readonly string[] {
    return this.#actions;
  }

  /**
   * Returns the caller that a provider has identified, with what the rules `context_is_admin`, `context_is_advsvc` and, with the
   * new defaults, `service_api` say.
   */
  callerOf(identity: Identity, requestId: string): Caller {
    const services = this.#newDefaults ? ['context_is_advsvc', 'service_api'] : ['context_is_advsvc'];
    const known = { ...identity, isAdmin: false, isAdvsvc: false, requestId };
    return {
      ...known,
      isAdmin: this.#of('context_is_admin')?.check(known, NONE) ?? false,
      isAdvsvc: services.some((name) => this.#of(name)?.check(known, NONE)),
    };
  }

  /** Returns whether the caller may perform the action on the target. */
  allows(caller: Caller, action: string, target: Target = NONE): boolean {
    return this.#of(action)?.check(caller, target) ?? false;
  }

  /** Throws PolicyNotAuthorized unless the caller may perform the action on the target. */
  authorize(caller: Caller, action: string, target: Target = NONE): void {
    if (!this.allows(caller, action, target)) throw neutronError('PolicyNotAuthorized', { action });
  }

  /** Returns whether an action has a rule. */
  has(action: string): boolean {
    return this.#texts.has(action);
  }

  /** Returns the names, singular or plural, of the resources that the rule of an action compares attributes of. */
  relationsOf(action: string): readonly string[] {
    return this.#of(action)?.relations ?? [];
  }

  /** Returns whether the decision depends on the target, not only on the caller. */
  dependsOnTarget(action: string): boolean {
    return this.#of(action)?.dependsOnTarget ?? false;
  }

  /** Returns the actions that a request needs which sets these attributes: those with a rule of their own. */
  attributeActions(
    resource: Resource,
    verb: 'create' | 'update',
    values: Readonly<Record<string, unknown>>,
  ): readonly string[] {
    const actions: string[] = [];
    const prefix = `${verb}_${policyNameOf(resource)}`;
    for (const [name, value] of Object.entries(values)) {
      const attribute = Object.hasOwn(resource.attributes, name) ? resource.attributes[name] : undefined;
      // As in Neutron, a create may name the default; an update may not (CVE-2014-6414).
      if (!attribute || (verb === 'create' && same(value, attribute.default))) continue;
      if (this.has(`${prefix}:${name}`)) actions.push(`${prefix}:${name}`);
      if (!attribute.parts) continue;
      for (const key of keysWithin(value)) {
        const action = `${prefix}:${name}:${key}`;
        if (this.has(action) && !actions.includes(action)) actions.push(action);
      }
    }
    return actions;
  }

  /** Returns the attributes of a resource that the caller may not see; `target`: a document, for rules that depend on it. */
  hidden(caller: Caller, resource: Resource, target: Target = NONE): readonly string[] {
    return (this.#masked.get(resource.name) ?? []).flatMap(([name, { check }]) =>
      check(caller, target) ? [] : [name],
    );
  }

  /** Returns whether what callers see of a resource depends on each document. */
  masksEach(resource: Resource): boolean {
    return (this.#masked.get(resource.name) ?? []).some(([, { dependsOnTarget }]) => dependsOnTarget);
  }

  #masksOf(resource: Resource): readonly (readonly [string, Compiled])[] {
    return Object.keys(resource.attributes).flatMap((name) => {
      const rule = this.#of(`get_${policyNameOf(resource)}:${name}`);
      return rule ? [[name, rule] as const] : [];
    });
  }

  #of(name: string): Compiled | undefined {
    return this.#compiled.get(name);
  }

  #compile(name: string, within: readonly string[]): Compiled {
    const known = this.#compiled.get(name);
    if (known) return known;
    const text = this.#texts.get(name);
    if (text === undefined) throw new PolicySyntaxError(`${within.at(-1) ?? ''}: there is no rule '${name}'`);
    if (within.includes(name)) throw new PolicySyntaxError(`${name}: the rule refers to itself`);
    const used: Compiled[] = [];
    try {
      const { check, refs } = compileRule(text, (other) => {
        const rule = this.#compile(other, [...within, name]);
        used.push(rule);
        return rule.check;
      });
      const compiled = {
        check,
        relations: [...new Set([...refs.relations, ...used.flatMap(({ relations }) => relations)])],
        dependsOnTarget: refs.target || used.some(({ dependsOnTarget }) => dependsOnTarget),
      };
      this.#compiled.set(name, compiled);
      return compiled;
    } catch (error) {
      if (!(error instanceof PolicySyntaxError) || within.length > 0) throw error;
      throw new PolicySyntaxError(error.message.startsWith(`${name}:`) ? error.message : `${name}: ${error.message}`);
    }
  }
}

const same = (value: unknown, other: unknown): boolean =>
  value === other || (typeof value === 'object' && JSON.stringify(value) === JSON.stringify(other));

/** Returns the keys of an object, or of the objects of a list. */
function keysWithin(value: unknown): readonly string[] {
  const objects: readonly unknown[] = Array.isArray(value) ? value : [value];
  return [...new Set(objects.flatMap((of) => (of !== null && typeof of === 'object' ? Object.keys(of) : [])))];
}
