import type { Instance } from './instance.ts';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

/** Returns the network part of the domain that nova-compute would pass to libvirt (libvirt: Domain XML format). */
export function libvirtXml(instance: Instance): string {
  const interfaces = instance.nics.flatMap(({ mac, bridge, device, mtu }) => [
    '    <interface type="bridge">',
    `      <mac address="${escaped(mac)}"/>`,
    '      <model type="virtio"/>',
    `      <source bridge="${escaped(bridge)}"/>`,
    ...(mtu === null ? [] : [`      <mtu size="${mtu}"/>`]),
    `      <target dev="${escaped(device)}"/>`,
    '    </interface>',
  ]);
  return [
    `<domain type="${instance.kind === 'qemu' ? 'qemu' : 'lxc'}">`,
    `  <uuid>${escaped(instance.id)}</uuid>`,
    `  <name>${escaped(instance.name)}</name>`,
    '  <devices>',
    ...interfaces,
    '  </devices>',
    '</domain>',
    '',
  ].join('\n');
}
