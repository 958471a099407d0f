import { resource } from './attribute.ts';
import { extension } from './extensions.ts';
import { readOnly } from './types.ts';

const shown = (help: string) => ({ type: readOnly<string>({ type: 'string' }), help }) as const;
const stored = <const C extends string>(column: C, help: string) =>
  ({ ...shown(help), column: `floatingip_pools.${column}` }) as const;

/** Subnets from which floating IPs are allocated (API reference: Networking v2.0, Floating IP pools). */
export const FLOATINGIP_POOL = resource({
  name: 'floatingip_pool',
  plural: 'floatingip_pools',
  path: 'floatingip_pools',
  key: 'subnet_id',
  table: 'floatingip_pools',
  methods: ['list'],
  policy: { show: 'anyReader' },
  extension: 'floatingip-pools',
  brings: [
    extension(
      'floatingip-pools',
      'Floating IP Pools Extension',
      '2018-03-21T10:00:00-00:00',
      'Subnets from which floating IPs are allocated.',
    ),
  ],
  help: 'an IPv4 subnet of an external network',
  attributes: {
    subnet_id: stored('id', 'the subnet'),
    subnet_name: stored('name', 'its name'),
    network_id: stored('network_id', 'the external network'),
    cidr: stored('cidr', 'its prefix'),
    tenant_id: shown('project of the caller'),
    project_id: shown('project of the caller'),
  },
});
