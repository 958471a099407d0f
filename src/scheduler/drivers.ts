import type { Config } from '../config/options.ts';
import { azWeight } from './az-weight.ts';
import { chance } from './chance.ts';
import type { Scheduler } from './contract.ts';
import { weight } from './weight.ts';

/** The schedulers by their names in `network_scheduler_driver`. */
export const SCHEDULERS: Readonly<Record<string, () => Scheduler>> = {
  chance: () => chance(),
  weight: () => weight,
  az_weight: () => azWeight,
};

/** The scheduler that the configuration names. Throws naming the value when there is none of that name. */
export function configuredScheduler(config: Config): Scheduler {
  const name = config.DEFAULT.network_scheduler_driver;
  const make = Object.hasOwn(SCHEDULERS, name) ? SCHEDULERS[name] : undefined;
  if (!make) throw new Error(`network_scheduler_driver '${name}' is none of: ${Object.keys(SCHEDULERS).join(', ')}`);
  return make();
}
