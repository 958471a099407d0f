import { describe, expect, test } from 'vitest';
import { adjustBridge, makeBridge, plug, unplug } from '../../../../../src/agents/l2/drivers/linuxbridge/bridge.ts';
import type { WiringStep } from '../../../../../src/agents/l2/drivers/linuxbridge/steps.ts';
import type { MonitoredLink } from '../../../../../src/linux/link-monitor.ts';

const BRIDGE = 'brq714aebe9-f5';
const tap: MonitoredLink = { name: 'tap01234567-89', index: 5, mac: '', mtu: 1500, up: false };
const bridge: MonitoredLink = { name: BRIDGE, index: 6, mac: '', mtu: 1450, up: true };
const lines = (steps: readonly WiringStep[]) => steps.map(({ command }) => command.join(' '));

describe('commands', () => {
  test('that make a bridge: no delay, marked, up', () => {
    expect(lines(makeBridge(BRIDGE, 'mark', 1450))).toEqual([
      `link add name ${BRIDGE} type bridge forward_delay 0 stp_state 0 mcast_snooping 0`,
      `link set dev ${BRIDGE} alias mark`,
      `link set dev ${BRIDGE} addrgenmode none`,
      `link set dev ${BRIDGE} mtu 1450 up`,
    ]);
  });

  test('for a bridge that is there touch what differs', () => {
    expect(lines(adjustBridge(bridge, 1450, false))).toEqual([]);
    expect(lines(adjustBridge(bridge, 1400, false))).toEqual([`link set dev ${BRIDGE} mtu 1400 up`]);
    expect(lines(adjustBridge({ ...bridge, up: false }, 1450, true))).toEqual([
      `link set dev ${BRIDGE} type bridge forward_delay 0 stp_state 0`,
      `link set dev ${BRIDGE} mtu 1450 up`,
    ]);
  });

  test('that plug a device are none when it is plugged', () => {
    expect(lines(plug(tap, BRIDGE, 1450))).toEqual([`link set dev ${tap.name} mtu 1450 master ${BRIDGE} up`]);
    expect(plug({ ...tap, mtu: 1450, up: true, master: BRIDGE }, BRIDGE, 1450)).toEqual([]);
  });

  test('that cut a device off are none when it is off', () => {
    expect(unplug(tap)).toEqual([]);
    for (const on of [
      { ...tap, up: true },
      { ...tap, master: BRIDGE },
    ]) {
      expect(lines(unplug(on))).toEqual([`link set dev ${tap.name} nomaster down`]);
    }
  });
});
