import { resource } from './attribute.ts';
import { readOnly } from './types.ts';

const shown = (name: string, help: string) => ({
  type: readOnly<string>({ type: 'string' }),
  column: `availability_zones.${name}`,
  sort: true,
  help,
});

/** Availability zones (API reference: Networking v2.0, Availability zones): those that agents report. Read-only. */
export const AVAILABILITY_ZONE = resource({
  name: 'availability_zone',
  plural: 'availability_zones',
  path: 'availability_zones',
  key: 'name',
  table: 'availability_zones',
  methods: ['list'],
  extension: 'availability_zone',
  help: 'a zone of agents, for each type of resource that they serve',
  attributes: {
    name: shown('name', 'name of the zone'),
    resource: shown('resource', 'type of resource that its agents serve: network or router'),
    state: shown('state', 'available while one of its agents is enabled, else unavailable'),
  },
});
