import { describeDhcpStoryAmong } from './dhcp-story-among.ts';
import { stockObstacle } from './stock-packages.ts';

// What the story asks for is what stock parts do among themselves; not told each time, for it takes long.
describeDhcpStoryAmong(
  'a stock DHCP agent under a stock server, for comparison',
  { server: 'stock', dhcp: 'stock', l2: 'stock' },
  process.env.INTEROP_ALL_STOCK ? stockObstacle() : 'runs with INTEROP_ALL_STOCK=1',
);
