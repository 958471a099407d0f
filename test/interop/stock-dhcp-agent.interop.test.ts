import { describeDhcpStoryAmong } from './dhcp-story-among.ts';
import { stockObstacle } from './stock-packages.ts';

describeDhcpStoryAmong(
  "a stock DHCP agent under Neutrino's server",
  { server: 'neutrino', dhcp: 'stock', l2: 'neutrino' },
  stockObstacle(),
);
