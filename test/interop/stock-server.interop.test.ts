import { describeDhcpScenariosAmong } from './dhcp-scenarios-among.ts';
import { stockObstacle } from './stock-packages.ts';

describeDhcpScenariosAmong(
  "Neutrino's DHCP agent under a stock server",
  { server: 'stock', dhcp: 'neutrino', l2: 'stock' },
  stockObstacle(),
);
