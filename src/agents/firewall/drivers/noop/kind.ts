import type { FirewallKind } from '../kind.ts';

/** No filter: every port may send and receive everything. */
export const NOOP: FirewallKind = {
  name: 'noop',
  programs: {},
  create: () => ({
    hold: async () => new Map(),
    groupChanged: async () => undefined,
    remove: async () => undefined,
    close: async () => undefined,
  }),
};
