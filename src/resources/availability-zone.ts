import { resource } from './attribute.ts';
import { readOnly } from './types.ts';

const shown = (name: string, help: string) => ({
  type: readOnly<string>({ type: 'string' }),
  column: `availability_zones.${name}`,
  sort: true,
  help,
});

/** Availability zones, as reported by agents (API reference: Networking v2.0, Availability zones). Read-only. */
export const AVAILABILITY_ZONE = resource({
  name: 'availability_zone',
  plural: 'availability_zones',
  path: 'availability_zones',
  key: 'name',
  table: 'availability_zones',
  policy: { show: 'publicReader' },
  methods: ['list'],
  extension: 'availability_zone',
  help: 'an availability zone of agents, per type of resource that they serve',
  attributes: {
    name: shown('name', 'name of the zone'),
    resource: shown('resource', 'type of resource that its agents serve: network or router'),
    state: shown('state', 'available if at least one of its agents is enabled, otherwise unavailable'),
  },
});
