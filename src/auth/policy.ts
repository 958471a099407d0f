import { nearestName } from '../config/nearest.ts';
import type { Attribute, Method, PolicyVerb, Resource } from '../resources/attribute.ts';
import { neutronError } from '../resources/errors.ts';
import { BASE_RULES, type DefaultRule, POLICY_RULES, type PolicyRule } from '../resources/policy-rules.ts';
import type { Caller, Identity } from './contract.ts';
import { PolicySyntaxError, type Target } from './language.ts';
import { type Compiled, RuleSet } from './rule-set.ts';

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
    // Also of what the API does not offer by itself: a show may create.
    for (const [verb, rule] of Object.entries(resource.policy ?? {}))
      if (rule) rules.set(methodAction(resource, verb as PolicyVerb), rule);
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

/** Returns the actions that requests ask for if they have a rule: to set or see an attribute, or a key of its value. */
function attributeActionsOf(resources: readonly Resource[]): readonly string[] {
  return resources.flatMap((resource) =>
    Object.entries(resource.attributes).flatMap(([name, { post, put, visible, parts = {} }]) => {
      const verbs = [...(post ? ['create'] : []), ...(put ? ['update'] : [])];
      const set = verbs.flatMap((verb) =>
        ['', ...Object.keys(parts).map((key) => `:${key}`)].map(
          (part) => `${verb}_${policyNameOf(resource)}:${name}${part}`,
        ),
      );
      return visible === false ? set : [...set, `get_${policyNameOf(resource)}:${name}`];
    }),
  );
}

/** Returns the error about a rule that nothing asks for. */
function unknownRule(name: string, asked: ReadonlySet<string>): PolicySyntaxError {
  const near = nearestName(name, [...asked]);
  return new PolicySyntaxError(`there is no such action${near ? `; did you mean ${near}?` : ''}`, name);
}

/** How the default policy is changed. */
export interface PolicyOptions {
  /** Rules of `policy.yaml`, by name. */
  readonly overrides?: ReadonlyMap<string, string>;
  /** `[oslo_policy] enforce_new_defaults`: readers only read; default: true. */
  readonly newDefaults?: boolean;
  /** `[oslo_policy] enforce_scope`: tokens must be scoped to a project; default: true. */
  readonly enforceScope?: boolean;
}

const NONE: Target = {};

/**
 * Decides what callers may do. Actions without a rule are denied to every caller. Throws PolicySyntaxError for rules that cannot
 * be parsed, refer to unknown rules, or to themselves.
 */
export class Policy {
  readonly #rules: RuleSet;
  readonly #actions: readonly string[];
  readonly #newDefaults: boolean;
  readonly #enforceScope: boolean;
  /** Attributes with a rule for showing them, by resource. */
  readonly #masked = new Map<string, readonly (readonly [string, Compiled])[]>();

  constructor(resources: readonly Resource[], options: PolicyOptions = {}) {
    const { overrides = new Map<string, string>(), newDefaults = true, enforceScope = true } = options;
    const textOf = ({ text, legacy }: DefaultRule): string => (newDefaults ? text : legacy);
    const declared = declaredRules(resources);
    this.#newDefaults = newDefaults;
    this.#enforceScope = enforceScope;
    this.allowsAdministrators = overrides.size === 0;
    this.#actions = [...declared.keys()];
    const texts = new Map<string, string>([
      ...Object.entries(BASE_RULES),
      ...[...declared].map(([action, rule]): [string, string] => [action, textOf(POLICY_RULES[rule])]),
    ]);
    const asked = new Set([...texts.keys(), ...attributeActionsOf(resources)]);
    this.#rules = new RuleSet(new Map([...texts, ...overrides]));
    for (const name of overrides.keys())
      if (!asked.has(name) && !this.#rules.isReferred(name)) throw unknownRule(name, asked);
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
      isAdmin: this.#rules.get('context_is_admin')?.check(known, NONE) ?? false,
      isAdvsvc: services.some((name) => this.#rules.get(name)?.check(known, NONE)),
    };
  }

  /**
   * Returns whether the scope of the caller's token fits: with `enforce_scope`, tokens for the system or a domain fit no action,
   * because all belong to projects.
   */
  inScope({ systemScope, domainId, projectId }: Caller): boolean {
    return !this.#enforceScope || !(systemScope || (domainId !== '' && projectId === ''));
  }

  /** Returns whether the caller may perform the action on the target. */
  allows(caller: Caller, action: string, target: Target = NONE): boolean {
    if (!this.inScope(caller)) return false;
    return this.#rules.get(action)?.check(caller, target) ?? false;
  }

  /** Throws PolicyNotAuthorized unless the caller may perform the action on the target. */
  authorize(caller: Caller, action: string, target: Target = NONE): void {
    if (!this.allows(caller, action, target)) throw neutronError('PolicyNotAuthorized', { action });
  }

  /** Returns the text of a rule; undefined if there is none. */
  textOf(name: string): string | undefined {
    return this.#rules.get(name)?.text;
  }

  /** Returns whether an action has a rule. */
  has(action: string): boolean {
    return this.#rules.get(action) !== undefined;
  }

  /** Returns the names, singular or plural, of the resources that the rule of an action compares attributes of. */
  relationsOf(action: string): readonly string[] {
    return this.#rules.get(action)?.relations ?? [];
  }

  /** Returns whether the decision depends on the target, not only on the caller. */
  dependsOnTarget(action: string): boolean {
    return this.#rules.get(action)?.dependsOnTarget ?? false;
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
      const rule = this.#rules.get(`get_${policyNameOf(resource)}:${name}`);
      return rule ? [[name, rule] as const] : [];
    });
  }
}

const same = (value: unknown, other: unknown): boolean =>
  value === other || (typeof value === 'object' && JSON.stringify(value) === JSON.stringify(other));

/** Returns the keys of an object, or of the objects of a list. */
function keysWithin(value: unknown): readonly string[] {
  const objects: readonly unknown[] = Array.isArray(value) ? value : [value];
  return [...new Set(objects.flatMap((of) => (of !== null && typeof of === 'object' ? Object.keys(of) : [])))];
}
