import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { compareWithHost, type Device, isAsWired as isAsWiredBy } from '../../../src/agents/l2/devices.ts';
import { LINUX_BRIDGE } from '../../../src/agents/l2/drivers/linuxbridge/kind.ts';
import { defaultConfig } from '../../../src/config/options.ts';
import type { MonitoredLink } from '../../../src/linux/link-monitor.ts';

const NETWORK = '714aebe9-f5a0-4676-ab15-db78a80b2d1a';
const TAP = 'tap01234567-89';
const link = (more: Partial<MonitoredLink> = {}): MonitoredLink => ({
  name: TAP,
  index: 5,
  mac: 'fa:16:3e:00:00:01',
  mtu: 1450,
  up: true,
  master: 'brq714aebe9-f5',
  ...more,
});
const { master: _, ...unplugged } = link();
const driver = LINUX_BRIDGE.create({
  config: defaultConfig(),
  links: () => new Map(),
  where: {},
  log: pino({ level: 'silent' }),
});
const isAsWired = (device: Device, link: MonitoredLink) => isAsWiredBy(device, link, driver);
const wired = (more = {}): Device => ({
  index: 5,
  details: { device: TAP, network_id: NETWORK, mtu: 1450, admin_state_up: true, ...more },
});

describe('a device', () => {
  test('is as it was wired while master, MTU and state are', () => {
    expect(isAsWired(wired(), link())).toBe(true);
    for (const other of [link({ mtu: 1500 }), link({ up: false }), link({ master: 'br0' }), unplugged]) {
      expect(isAsWired(wired(), other)).toBe(false);
    }
    expect(isAsWired({ index: 5 }, unplugged)).toBe(true);
  });

  test('of a port that is administratively down is right when it is cut off', () => {
    expect(isAsWired(wired({ admin_state_up: false }), { ...unplugged, up: false })).toBe(true);
    expect(isAsWired(wired({ admin_state_up: false }), link())).toBe(false);
  });
});

describe('a full look at the host', () => {
  const look = (before: [string, Device][], known: [string, Device][], links: MonitoredLink[]) => {
    const { vanished, appeared, changed } = compareWithHost(new Map(before), new Map(known), links, driver);
    return { vanished, appeared: appeared.map(({ name }) => name), changed };
  };
  const device = wired();

  test('finds nothing when all is well', () => {
    expect(look([[TAP, device]], [[TAP, device]], [link(), link({ name: 'lo', index: 1 })])).toEqual({
      vanished: [],
      appeared: [],
      changed: [],
    });
  });

  test('finds what no event told', () => {
    expect(look([[TAP, device]], [[TAP, device]], []).vanished).toEqual([TAP]);
    expect(look([], [], [link()]).appeared).toEqual([TAP]);
    expect(look([[TAP, device]], [[TAP, device]], [link({ mtu: 1500 })]).changed).toEqual([TAP]);
    expect(look([[TAP, device]], [[TAP, device]], [link({ index: 6 })])).toMatchObject({
      vanished: [TAP],
      appeared: [TAP],
    });
  });

  test('leaves out devices that came after the list was taken', () => {
    expect(look([], [[TAP, device]], [])).toEqual({ vanished: [], appeared: [], changed: [] });
    expect(look([[TAP, wired()]], [[TAP, device]], [link({ index: 4 })])).toEqual({
      vanished: [],
      appeared: [],
      changed: [],
    });
  });
});
