import { describe, expect, it } from 'vitest';
import type { AgentDevice } from '../../../../../src/agents/interface/device.ts';
import {
  type ActualEnds,
  planDevice,
  planNewDevice,
} from '../../../../../src/agents/interface/drivers/linuxbridge/plan.ts';

const wanted: AgentDevice = {
  name: 'tap11111111-11',
  portId: '11111111-1111-4111-8111-111111111111',
  owner: 'n1',
  namespace: 'qdhcp-n1',
  mac: 'fa:16:3e:00:00:01',
  mtu: 1450,
  siblings: [],
};
const inner = {
  name: wanted.name,
  index: 2,
  mac: wanted.mac,
  mtu: 1450,
  up: true,
  kind: 'veth',
  peerIndex: 9,
};
const lo = { name: 'lo', index: 1, mac: '', mtu: 65536, up: true };
const outer = { ...inner, index: 9, peerIndex: 2, mac: 'aa:aa:aa:aa:aa:aa', alias: 'mine' };
const right: ActualEnds = { outer, inner: [lo, inner] };
const words = (steps: readonly (readonly string[])[]) => steps.map((step) => step.join(' '));

describe('the steps towards a veth pair', () => {
  it('are none when it is right', () => {
    expect(planDevice(wanted, 'mine', right)).toEqual({ host: [], inside: [], fresh: false });
  });

  it('create it whole when it does not exist', () => {
    const plan = planNewDevice(wanted, 'mine', { makeNamespace: true });
    expect(words(plan.host)).toEqual([
      'netns add qdhcp-n1',
      'link add tap11111111-11 mtu 1450 type veth peer name tap11111111-11 mtu 1450 address fa:16:3e:00:00:01 netns qdhcp-n1',
      'link set dev tap11111111-11 alias mine up',
    ]);
    expect(words(plan.inside)).toEqual(['link set dev lo up', 'link set dev tap11111111-11 up']);
  });

  it('correct MTU, mark and what is down', () => {
    const plan = planDevice(wanted, 'mine', {
      outer: { ...outer, mtu: 1500, up: false, alias: 'theirs' },
      inner: [
        { ...lo, up: false },
        { ...inner, mtu: 1500, up: false },
      ],
    });
    expect(words(plan.host)).toEqual([
      'link set dev tap11111111-11 mtu 1450',
      'link set dev tap11111111-11 alias mine',
      'link set dev tap11111111-11 up',
    ]);
    expect(words(plan.inside)).toEqual([
      'link set dev tap11111111-11 mtu 1450',
      'link set dev tap11111111-11 up',
      'link set dev lo up',
    ]);
  });

  it('remove the devices of earlier ports, but neither siblings nor what others may have put there', () => {
    const stranger = (name: string) => ({ ...inner, name, index: 5, peerIndex: 7 });
    const there = [
      stranger('tap22222222-22'),
      stranger('ns-11111111-11'),
      stranger('qr-33333333-33'),
      stranger('tun0'),
    ];
    const plan = planDevice({ ...wanted, siblings: ['qr-33333333-33'] }, 'mine', {
      outer,
      inner: [lo, inner, ...there],
    });
    expect(words(plan.inside)).toEqual(['link delete dev tap22222222-22', 'link delete dev ns-11111111-11']);
  });

  it('create it anew when its ends do not belong together, or its MAC is another', () => {
    const anew = (actual: Partial<ActualEnds>) => {
      const plan = planDevice(wanted, 'mine', { ...right, ...actual });
      return [plan.fresh, words(plan.host), words(plan.inside)];
    };
    const remove = 'link delete dev tap11111111-11';
    expect(anew({ outer: undefined })).toEqual([true, [], [remove]]);
    expect(anew({ inner: [lo] })).toEqual([true, [remove], []]);
    expect(anew({ outer: { ...outer, index: 8 } })).toEqual([true, [remove], [remove]]);
    expect(anew({ inner: [lo, { ...inner, mac: 'fa:16:3e:ff:ff:ff' }] })).toEqual([true, [remove], []]);
  });
});
