import type { GuestSpec } from '../contract.ts';

/** Escapes commas, which end a value in QEMU's options unless they are doubled. */
function value(text: string): string {
  return text.replaceAll(',', ',,');
}

/** Files of a machine, relative to its folder, which is QEMU's working directory, so that paths cannot break options. */
export const MACHINE_FILES = { console: 'console.log', socket: 'console.sock', initramfs: 'initramfs.gz' } as const;

/**
 * Returns QEMU's command line for a machine: software emulation, no disk, no screen, a serial console that is logged and
 * accepts input, one virtio NIC per tap device.
 */
export function qemuCommand(spec: GuestSpec, kernel: string): [string, ...string[]] {
  const parameters = ['console=ttyS0', 'quiet', 'panic=-1', 'net.ifnames=0', `neutrino.nics=${spec.nics.length}`];
  const { console, socket } = MACHINE_FILES;
  return [
    'qemu-system-x86_64',
    ...['-name', `guest=${value(spec.name)}`, '-uuid', spec.id],
    ...['-nodefaults', '-no-user-config', '-nographic', '-no-reboot', '-machine', 'q35', '-accel', 'tcg', '-m', '192'],
    ...['-kernel', kernel, '-initrd', MACHINE_FILES.initramfs, '-append', parameters.join(' ')],
    ...['-chardev', `socket,id=console,path=${socket},server=on,wait=off,logfile=${console}`],
    ...['-serial', 'chardev:console'],
    ...spec.nics.flatMap(({ mac, device }, i) => [
      ...['-netdev', `tap,id=nic${i},ifname=${value(device)},script=no,downscript=no`],
      // No boot ROM, because loading and scanning it takes time.
      ...['-device', `virtio-net-pci,netdev=nic${i},mac=${value(mac)},romfile=`],
    ]),
  ];
}
