import type { ErrorKinds } from './kind.ts';

/** Errors of metering labels and rules. */
export const METERING_ERRORS = {
  MeteringLabelRuleOverlaps: {
    status: 409,
    template: 'Another rule of the metering label already covers addresses of {prefix}.',
    when: 'a rule of the same label, direction and exclusion covers some of these addresses',
  },
  MeteringLabelNotFound: {
    status: 404,
    template: 'There is no metering label {id}.',
    when: 'no such metering label',
  },
  MeteringLabelRuleNotFound: {
    status: 404,
    template: 'There is no metering label rule {id}.',
    when: 'no such metering label rule',
  },
} as const satisfies ErrorKinds;
