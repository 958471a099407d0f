import { existsSync } from 'node:fs';

/** What each client consists of: a file of each of its Debian packages. */
const CLIENTS = {
  tempest: {
    tempest: '/usr/bin/tempest',
    'neutron-tempest-plugin': '/usr/lib/python3/dist-packages/neutron_tempest_plugin/__init__.py',
  },
  openstack: { 'python3-openstackclient': '/usr/bin/openstack' },
  openstacksdk: { 'python3-openstacksdk': '/usr/lib/python3/dist-packages/openstack/__init__.py' },
  neutronclient: { 'python3-neutronclient': '/usr/lib/python3/dist-packages/neutronclient/__init__.py' },
  gophercloud: {
    'golang-go': '/usr/bin/go',
    'golang-github-gophercloud-gophercloud-dev': '/usr/share/gocode/src/github.com/gophercloud/gophercloud/acceptance',
  },
} as const;

export type Client = keyof typeof CLIENTS;

/** Returns why a client cannot run here, for tests that skip with this reason; undefined if it can. */
export function clientObstacle(client: Client): string | undefined {
  const missing = Object.entries(CLIENTS[client]).filter(([, file]) => !existsSync(file));
  if (missing.length === 0) return undefined;
  const names = missing.map(([name]) => name).join(', ');
  return `Debian packages are missing: ${names}; \`npm run test:interop\` installs them where they exist`;
}

/** The name of a suite, with the reason if it is skipped. */
export const titleOf = (client: Client, obstacle: string | undefined): string =>
  obstacle === undefined ? client : `${client} (skipped: ${obstacle})`;
