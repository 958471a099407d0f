import type { Method, PolicyRule, Resource } from '../resources/attribute.ts';
import { neutronError } from '../resources/errors.ts';
import type { Caller } from './contract.ts';

/** The target of an action: attributes of the resource, or of the one to create. */
export type Target = Readonly<Record<string, unknown>>;

type Check = (caller: Caller, target: Target) => boolean;

/** The condition of each rule. */
const CHECKS: Readonly<Record<PolicyRule, Check>> = {
  anybody: () => true,
  owner: (caller, target) => caller.isAdmin || target.project_id === caller.projectId,
  admin: (caller) => caller.isAdmin,
};

const VERBS: Readonly<Record<Method, string>> = {
  create: 'create',
  list: 'get',
  show: 'get',
  update: 'update',
  delete: 'delete',
};

/** Returns Neutron's policy name for a method of a resource: `create_port`, `get_port`. */
export const methodAction = (resource: Resource, method: Method): string => `${VERBS[method]}_${resource.name}`;

const DEFAULTS: Readonly<Record<Method, PolicyRule>> = {
  list: 'anybody',
  show: 'anybody',
  create: 'owner',
  update: 'owner',
  delete: 'owner',
};

/** Returns the default policy of the declared resources: the required rule of each action. */
function declaredRules(resources: readonly Resource[]): ReadonlyMap<string, PolicyRule> {
  const rules = new Map<string, PolicyRule>();
  for (const resource of resources) {
    for (const method of resource.methods)
      rules.set(methodAction(resource, method), resource.policy?.[method] ?? DEFAULTS[method]);
    for (const [name, action] of Object.entries(resource.actions ?? {}))
      rules.set(action.policyName ?? name, action.policy ?? 'owner');
    for (const [name, { policy }] of Object.entries(resource.attributes))
      for (const [verb, rule] of [
        ['create', policy?.create],
        ['update', policy?.update],
        ['get', policy?.show],
      ] as const)
        if (rule) rules.set(`${verb}_${resource.name}:${name}`, rule);
  }
  return rules;
}

/**
 * Decides what callers may do. Actions that are not declared are denied to every caller. Attributes are checked once per request,
 * never per row.
 */
export class Policy {
  readonly #rules: ReadonlyMap<string, PolicyRule>;

  constructor(resources: readonly Resource[]) {
    this.#rules = declaredRules(resources);
  }

  /** Returns all actions with a rule. */
  get actions(): readonly string[] {
    return [...this.#rules.keys()];
  }

  /** Returns whether the caller may perform the action on the target. */
  allows(caller: Caller, action: string, target: Target = {}): boolean {
    const rule = this.#rules.get(action);
    return rule !== undefined && CHECKS[rule](caller, target);
  }

  /** Throws PolicyNotAuthorized unless the caller may perform the action on the target. */
  authorize(caller: Caller, action: string, target: Target = {}): void {
    if (!this.allows(caller, action, target)) throw neutronError('PolicyNotAuthorized', { action });
  }

  /** Throws PolicyNotAuthorized if the request sets an attribute that the caller may not set on the resource. */
  authorizeAttributes(
    caller: Caller,
    resource: Resource,
    verb: 'create' | 'update',
    names: readonly string[],
    target: Target,
  ): void {
    for (const name of names) {
      const action = `${verb}_${resource.name}:${name}`;
      if (this.#rules.has(action)) this.authorize(caller, action, target);
    }
  }

  /** Returns the attributes of a resource that the caller may not see. */
  hidden(caller: Caller, resource: Resource): readonly string[] {
    return Object.keys(resource.attributes).filter((name) => {
      const rule = this.#rules.get(`get_${resource.name}:${name}`);
      return rule !== undefined && !CHECKS[rule](caller, {});
    });
  }
}
