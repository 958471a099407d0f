import type { Config } from '../config/options.ts';
import { ConfigError } from '../config/parse.ts';
import type { Resource } from '../resources/attribute.ts';
import { PolicySyntaxError } from './language.ts';
import { isUnservedRule } from './neutron-rules.ts';
import { Policy } from './policy.ts';
import { readPolicyFiles, type WrittenRule } from './policy-file.ts';

/**
 * Returns the policy of the resources: the defaults, changed by the policy files of `[oslo_policy]`. `warn` hears of rules without
 * effect. Throws ConfigError that names file and line for rules that cannot be read or that nothing asks for.
 */
export function configuredPolicy(
  resources: readonly Resource[],
  { oslo_policy: options }: Pick<Config, 'oslo_policy'>,
  warn: (message: string) => void,
): Policy {
  const written = readPolicyFiles(options);
  const unserved = [...written].filter(([name]) => isUnservedRule(name) && !isReferred(name, written));
  const overrides = new Map([...written].filter(([name]) => !unserved.some(([other]) => other === name)));
  if (unserved.length > 0)
    warn(`rules about what Neutrino does not serve, without effect: ${unserved.map(describe).join(', ')}`);
  const { enforce_new_defaults: newDefaults, enforce_scope: enforceScope } = options;
  try {
    return new Policy(resources, {
      overrides: new Map([...overrides].map(([name, { text }]) => [name, text])),
      newDefaults,
      enforceScope,
    });
  } catch (error) {
    if (!(error instanceof PolicySyntaxError) || error.rule === undefined) throw error;
    const { place = '[oslo_policy]' } = overrides.get(error.rule) ?? {};
    throw new ConfigError(`${place}: ${error.rule}: ${error.message}`);
  }
}

const describe = ([name, { place }]: readonly [string, WrittenRule]): string => `${name} (${place})`;

const isReferred = (name: string, rules: ReadonlyMap<string, WrittenRule>): boolean =>
  [...rules.values()].some(({ text }) => text.split(/[\s()]+/).includes(`rule:${name}`));
