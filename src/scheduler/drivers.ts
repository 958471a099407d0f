import type { Config } from '../config/options.ts';
import { azWeight } from './az-weight.ts';
import { chance } from './chance.ts';
import type { Scheduler } from './contract.ts';
import type { HostingKind } from './hosting-kind.ts';
import { weight } from './weight.ts';

/** The schedulers by their names in the configuration. */
const SCHEDULERS: Readonly<Record<string, () => Scheduler>> = {
  chance: () => chance(),
  weight: () => weight,
  az_weight: () => azWeight,
};

/** Returns the configured scheduler of an agent kind. Throws an Error if there is none with that name. */
export function configuredScheduler(config: Config, { options }: HostingKind): Scheduler {
  const name = config.DEFAULT[options.scheduler];
  const make = Object.hasOwn(SCHEDULERS, name) ? SCHEDULERS[name] : undefined;
  if (!make) throw new Error(`${options.scheduler} '${name}' is none of: ${Object.keys(SCHEDULERS).join(', ')}`);
  return make();
}
