import { dhcpNamespace } from '../../src/net/device-names.ts';
import type { ServedNetwork } from './served.ts';

/** Quotes a word for a shell, if necessary. */
const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

/**
 * Returns a shell script that creates what the agent creates, network by network: namespace and device with one `ip -batch` on the
 * host and one inside, the files with one `cp`, dnsmasq with its command line. `folder`: destination of the files.
 */
export function coldStartScript(networks: readonly ServedNetwork[], folder: string): string {
  const steps = networks.map(({ id, command, device, mac, mtu, address, gateway, files }) => {
    const namespace = dhcpNamespace(id);
    return [
      'ip -batch - <<END',
      `netns add ${namespace}`,
      `link add name ${device} mtu ${mtu} type veth peer name ${device} mtu ${mtu} netns ${namespace} address ${mac}`,
      `link set dev ${device} up`,
      'END',
      `ip -n ${namespace} -batch - <<END`,
      'link set dev lo up',
      `link set dev ${device} up`,
      `addr add ${address} brd + dev ${device}`,
      ...(gateway === undefined ? [] : [`route replace default via ${gateway} dev ${device}`]),
      'END',
      `cp -r ${quoted(files)} ${quoted(folder)}/`,
      `ip netns exec ${namespace} ${command.map(quoted).join(' ')}`,
    ].join('\n');
  });
  return ['#!/bin/sh', 'set -e', `mkdir -p ${quoted(folder)}`, ...steps, ''].join('\n');
}
