import { describeDhcpScenariosAmong } from './dhcp-scenarios-among.ts';
import { stockObstacle } from './stock-packages.ts';

describeDhcpScenariosAmong(
  "a stock DHCP agent under Neutrino's server",
  { server: 'neutrino', dhcp: 'stock', l2: 'neutrino' },
  stockObstacle(),
);
