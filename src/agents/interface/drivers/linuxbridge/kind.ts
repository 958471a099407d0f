import { listLinks } from '../../../../linux/links.ts';
import type { InterfaceDriverKind } from '../kind.ts';
import { createVethDriver } from './driver.ts';

/** Pairs of virtual Ethernet devices, whose host ends the Linux bridge agent plugs into the bridges of their networks. */
export const LINUX_BRIDGE: InterfaceDriverKind = {
  name: 'linuxbridge',
  programs: { ip: 'iproute2' },
  create: createVethDriver,
  async marked() {
    const links = await listLinks({ kind: 'veth' });
    return links.flatMap(({ name, alias }) => (alias === undefined ? [] : [{ name, mark: alias }]));
  },
};
