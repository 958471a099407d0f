import { describe, expect, it } from 'vitest';
import { dhcpDeviceId, hostUuid } from '../../../src/agents/dhcp/device-id.ts';
import { captured } from './captured.ts';

describe('device_id of a DHCP port', () => {
  it("is what stock Neutron's agent on host `vm` sent", () => {
    const { device_id, network_id } = captured('release_dhcp_port').args as { device_id: string; network_id: string };
    expect(dhcpDeviceId('vm', network_id)).toBe(device_id);
    expect(device_id).toContain('dhcpe5e61fb5-d685-5b50-9ba7-acb6e6962ef3-');
  });

  it('takes the host name up to its first dot', () => {
    expect(dhcpDeviceId('vm.example.org', 'n')).toBe(dhcpDeviceId('vm', 'n'));
    expect(dhcpDeviceId('vm2', 'n')).not.toBe(dhcpDeviceId('vm', 'n'));
  });

  it('is a UUID of version 5 (example of RFC 9562, appendix A.4)', () => {
    expect(hostUuid('www.example.com')).toBe('2ed6657d-e927-568b-95e1-2665a8aea6a2');
  });
});
