import type { FirewallKind } from '../kind.ts';

/** No filter: every port may send and receive everything. */
export const NOOP: FirewallKind = {
  name: 'noop',
  programs: {},
  create: () => ({
    bridgeOptions: [],
    filters: false,
    hold: async () => new Map(),
    remove: async () => undefined,
    check: async () => false,
    close: async () => undefined,
  }),
};
