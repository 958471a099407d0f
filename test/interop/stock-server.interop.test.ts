import { describeDhcpStoryAmong } from './dhcp-story-among.ts';
import { stockObstacle } from './stock-packages.ts';

describeDhcpStoryAmong(
  "Neutrino's DHCP agent under a stock server",
  { server: 'stock', dhcp: 'neutrino', l2: 'stock' },
  stockObstacle(),
);
