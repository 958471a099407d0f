import { describe, expect, it } from 'vitest';
import { socketMode } from '../../../src/agents/metadata/socket.ts';
import { defaultConfig } from '../../../src/config/options.ts';

const OWN = { user: ['110', 'neutron'], group: ['115', 'neutron'] };

describe('socketMode', () => {
  it.each([
    ['deduce', '', '', '644'],
    ['deduce', 'root', 'x', '644'],
    ['deduce', '0', 'x', '644'],
    ['deduce', 'neutron', 'x', '644'],
    ['deduce', '110', 'x', '644'],
    ['deduce', 'nobody', '', '664'],
    ['deduce', 'nobody', 'neutron', '664'],
    ['deduce', 'nobody', '115', '664'],
    ['deduce', 'nobody', 'nogroup', '666'],
    ['user', 'nobody', 'nogroup', '644'],
    ['group', '', '', '664'],
    ['all', '', '', '666'],
  ])('with %s, user "%s" and group "%s" is %s', (mode, user, group, expected) => {
    const config = {
      ...defaultConfig().DEFAULT,
      ...{ metadata_proxy_socket_mode: mode, metadata_proxy_user: user, metadata_proxy_group: group },
    };
    expect(socketMode(config, OWN).toString(8)).toBe(expected);
  });
});
