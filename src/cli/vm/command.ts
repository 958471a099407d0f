import type { Command } from 'commander';
import { collect } from '../config/flags.ts';
import { type BootOptions, type DeleteOptions, type ListOptions, withLabOptions } from './options.ts';

/** Adds `vm boot`, `vm list` and `vm delete`, which act as Nova does. */
export function registerVmCommands(program: Command): void {
  const vm = program.command('vm').description('manage machines on this host, which get their addresses by DHCP');

  withLabOptions(vm.command('boot'))
    .description('boot a machine: a namespace with a DHCP client on each NIC, or a virtual machine with --qemu')
    .argument('<NAME>', 'name of the machine')
    .requiredOption(
      '--network <NET>',
      'id or name of a network; may be repeated, one NIC per network in this order',
      collect,
    )
    .option('--fixed-ip <ADDRESS>', 'address of the NIC in the same position; "any" lets Neutrino choose', collect)
    .option('--user-data <FILE>', 'user data in the metadata of the machine, as for cloud-init')
    .option('--key <FILE>', 'OpenSSH public key in the metadata of the machine; may be repeated', collect)
    .option('--qemu', "a real virtual machine: Debian's kernel under software emulation")
    .option('--vif-plugging-timeout <SECONDS>', 'how long to wait for the ports to become ACTIVE (default: 60)')
    .option('--lease-timeout <SECONDS>', 'how long to wait for each lease (default: 30, with --qemu 180)')
    .option('--json', 'print the result as JSON; progress goes to standard error')
    .action(async (name: string, options: BootOptions) => {
      const { runBoot } = await import('./vm.ts');
      await runBoot(name, options);
    });

  withLabOptions(vm.command('list'))
    .description('list the machines of this host')
    .option('--json', 'print them as JSON')
    .action(async (options: ListOptions) => {
      const { runList } = await import('./vm.ts');
      await runList(options);
    });

  withLabOptions(vm.command('delete'))
    .description('end machines and remove their devices, ports and folders')
    .argument('[MACHINE...]', 'names or UUIDs')
    .option('--all', 'all machines of this state path')
    .action(async (machines: readonly string[], options: DeleteOptions) => {
      const { runDelete } = await import('./vm.ts');
      await runDelete(machines, options);
    });
}
