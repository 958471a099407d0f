import { type Action, type Attribute, type Resource, resource } from './attribute.ts';
import { extension } from './extensions.ts';
import { boolean, integer, line, shownOnly } from './types.ts';

const LIMIT = integer({ min: -1, max: 2_147_483_647 });

const project = (help: string): Attribute => ({
  type: shownOnly(line(255)),
  column: 'projectquotas.project_id',
  filter: false,
  visible: 'sometimes',
  help,
});

const perResource = (names: readonly string[], value: object) => ({
  type: 'object',
  properties: { quota: { type: 'object', properties: Object.fromEntries(names.map((name) => [name, value])) } },
});

const ownProject = (key: string): Action => ({
  method: 'get',
  ofProject: true,
  policyName: 'get_quota',
  policy: 'managerReader',
  answer: { type: 'object', properties: { [key]: { type: 'object' } } },
  help: 'show the project that the request is scoped to',
});

/** Quotas of projects (API reference: Networking v2.0, Quotas): one attribute for each resource that is counted. */
export function quotaResource(counted: readonly Resource[]) {
  const names = counted.map(({ name }) => name);
  return resource({
    name: 'quota',
    plural: 'quotas',
    path: 'quotas',
    key: 'project_id',
    singleton: true,
    ownReadable: true,
    table: 'projectquotas',
    notImplemented: ['create'],
    methods: ['list', 'show', 'update', 'delete'],
    policy: { show: 'managerReader', update: 'admin', delete: 'admin' },
    actions: {
      default: {
        method: 'get',
        policyName: 'get_quota',
        policy: 'managerReader',
        answer: perResource(names, LIMIT.schema),
        help: 'show the limits of projects without their own',
      },
      details: {
        method: 'get',
        policyName: 'get_quota',
        policy: 'managerReader',
        denied: 'AdminRequired',
        answer: perResource(names, {
          type: 'object',
          properties: { limit: LIMIT.schema, used: { type: 'integer' }, reserved: { type: 'integer' } },
        }),
        extension: 'quota_details',
        help: 'show limits and usage',
      },
      tenant: ownProject('tenant'),
      project: ownProject('project'),
    },
    extension: 'quotas',
    brings: [
      extension(
        'quotas',
        'Quota management support',
        '2012-07-29T10:00:00-00:00',
        'Expose functions for quotas management per project',
      ),
      extension(
        'quota_details',
        'Quota details management support',
        '2017-02-10T10:00:00-00:00',
        'How much of its quotas a project uses.',
      ),
      extension(
        'quota-check-limit',
        'Quota engine limit check',
        '2021-09-08T16:00:00-00:00',
        'check_limit rejects limits below what a project uses.',
      ),
    ],
    help: 'how many resources a project can have',
    attributes: {
      ...Object.fromEntries(
        counted.map(({ name, plural }): [string, Attribute] => [
          name,
          { type: LIMIT, put: true, filter: false, help: `limit of ${plural.replaceAll('_', ' ')}; -1: unlimited` },
        ]),
      ),
      project_id: project('the project; only in lists'),
      tenant_id: project('the project (older name of project_id); only in lists'),
      check_limit: {
        type: boolean,
        put: true,
        visible: false,
        extension: 'quota-check-limit',
        help: 'reject limits below what the project uses',
      },
      force: {
        type: boolean,
        put: true,
        visible: false,
        help: 'set limits below what the project uses, as by default',
      },
    },
  });
}
