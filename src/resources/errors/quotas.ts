import type { ErrorKinds } from './kind.ts';

/** Errors of quotas. */
export const QUOTA_ERRORS = {
  TenantQuotaNotFound: {
    status: 404,
    template: 'Quota for tenant {id} could not be found.',
    when: 'the project to reset has no quotas of its own',
  },
  QuotaMissingTenant: {
    status: 400,
    template: 'The request has no project, so there are no quotas to show.',
    when: 'the request is not scoped to a project',
  },
  AdminRequired: {
    status: 403,
    template: 'Quota details of other projects are for administrators only.',
    when: 'the quota details of another project',
  },
  OverQuota: {
    status: 409,
    template: 'Quota exceeded for resources: [{resources}].',
    when: 'the request would exceed the quota of the project',
  },
} as const satisfies ErrorKinds;
