import { describeDhcpScenariosAmong } from './dhcp-scenarios-among.ts';
import { stockObstacle } from './stock-packages.ts';

// The scenarios expect the behaviour of stock components among themselves; not run by default because it takes long.
describeDhcpScenariosAmong(
  'a stock DHCP agent under a stock server, for comparison',
  { server: 'stock', dhcp: 'stock', l2: 'stock' },
  process.env.INTEROP_ALL_STOCK ? stockObstacle() : 'runs with INTEROP_ALL_STOCK=1',
);
