import type { FirewallKind } from '../kind.ts';
import { NftablesFirewall } from './driver.ts';
import { removeTables } from './remove.ts';

/** nftables: tables `bridge neutrino` and `inet neutrino`. */
export const NFTABLES: FirewallKind = {
  name: 'nftables',
  programs: { nft: 'nftables', conntrack: 'conntrack' },
  create: (parts) => new NftablesFirewall(parts),
  removeFilters: removeTables,
};
