import type { ErrorKinds } from './kind.ts';

/** Errors of metering labels and rules. */
export const METERING_ERRORS = {
  MeteringLabelRuleOverlaps: {
    status: 409,
    template: "Metering label rule with remote_ip_prefix '{prefix}' overlaps another.",
    when: 'a rule of the same label, direction and exclusion covers some of these addresses',
  },
  MeteringLabelNotFound: {
    status: 404,
    template: "Metering label '{id}' does not exist.",
    when: 'no such metering label',
  },
  MeteringLabelRuleNotFound: {
    status: 404,
    template: "Metering label rule '{id}' does not exist.",
    when: 'no such metering label rule',
  },
} as const satisfies ErrorKinds;
