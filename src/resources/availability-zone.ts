import { resource } from './attribute.ts';
import { readOnly } from './types.ts';

const told = (name: string, help: string) => ({
  type: readOnly({ type: 'string' }),
  column: `availability_zones.${name}`,
  sort: true,
  help,
});

/** Availability zones (API reference: Networking v2.0, Availability zones): those that agents say they are in. Never set. */
export const AVAILABILITY_ZONE = resource({
  name: 'availability_zone',
  plural: 'availability_zones',
  path: 'availability_zones',
  methods: ['list'],
  extension: 'availability_zone',
  help: 'a zone that agents are in, for each kind of resource that they serve',
  attributes: {
    name: told('name', 'name of the zone'),
    resource: told('resource', 'what its agents serve: network or router'),
    state: told('state', 'available while one of its agents is enabled, else unavailable'),
  },
});
