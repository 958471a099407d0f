import { isProgram } from '../support/is-program.ts';

/** Stock Neutron's programs and the Debian packages that contain them. */
const PROGRAMS = {
  'neutron-server': 'neutron-server',
  'neutron-db-manage': 'neutron-common',
  'neutron-dhcp-agent': 'neutron-dhcp-agent',
  'neutron-linuxbridge-agent': 'neutron-linuxbridge-agent',
  'neutron-metadata-agent': 'neutron-metadata-agent',
} as const;

export type StockProgram = keyof typeof PROGRAMS;

const FOLDER = '/usr/bin';

export const stockProgram = (name: StockProgram): string => `${FOLDER}/${name}`;

/** Returns why stock Neutron cannot run here, for tests that skip with this reason; undefined if it can. */
export function stockObstacle(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  const missing = Object.keys(PROGRAMS).filter((name) => !isProgram(`${FOLDER}/${name}`));
  if (missing.length === 0) return undefined;
  return `stock Neutron is missing (${missing.join(', ')}; Debian 12 has them, \`npm run test:interop\` installs them)`;
}
