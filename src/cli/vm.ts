import type { Command } from 'commander';
import type { LabOptions } from './lab-options.ts';

interface BootOptions extends LabOptions {
  readonly network: readonly string[];
  readonly fixedIp?: readonly string[];
  readonly qemu?: boolean;
  readonly json?: boolean;
  readonly vifPluggingTimeout?: string;
  readonly leaseTimeout?: string;
}

/** For options that may be repeated. */
const collect = (value: string, earlier: readonly string[] | undefined): readonly string[] => [
  ...(earlier ?? []),
  value,
];

/**
 * Adds `vm boot`, `vm list` and `vm delete`: Nova's part, for a machine without Nova. What they do is imported only when they
 * run, so that other commands start fast.
 */
export function registerVmCommands(program: Command): void {
  const vm = program.command('vm').description('machines on this host that get their addresses by DHCP');
  const options = (command: Command): Command =>
    command
      .option(
        '--url <URL>',
        'the API (default: of the Neutrino on the state path, else where the configuration has it)',
      )
      .option('--state-path <FOLDER>', 'folder in which Neutrino and machines keep what they know')
      .option('--host <NAME>', 'name of this host as its agents report it')
      .option('--config-file <FILE>', 'INI file with options as in neutron.conf; may be repeated', collect);

  options(vm.command('boot'))
    .description('boot a machine: a namespace with a DHCP client on each NIC, or with --qemu a virtual machine')
    .argument('<NAME>', 'its name')
    .requiredOption('--network <NET>', 'id or name of a network; a NIC for each, in this order', collect)
    .option('--fixed-ip <ADDRESS>', 'address of the NIC in the same position; "any" leaves it to Neutrino', collect)
    .option('--qemu', "a real virtual machine: Debian's kernel under software emulation")
    .option('--vif-plugging-timeout <SECONDS>', 'how long to wait for the ports to become ACTIVE (default: 60)')
    .option('--lease-timeout <SECONDS>', 'how long to wait for each lease (default: 30, with --qemu 180)')
    .option('--json', 'print the result as JSON; progress goes to standard error')
    .action(async (name: string, given: BootOptions) => {
      const { runBoot } = await import('./vm-commands.ts');
      await runBoot(name, given);
    });

  options(vm.command('list'))
    .description('list the machines of this host')
    .option('--json', 'print them as JSON')
    .action(async (given: LabOptions & { readonly json?: boolean }) => {
      const { runList } = await import('./vm-commands.ts');
      await runList(given);
    });

  options(vm.command('delete'))
    .description('end machines and remove their devices, ports and folders')
    .argument('[MACHINE...]', 'names or UUIDs')
    .option('--all', 'all machines of this state path')
    .action(async (machines: readonly string[], given: LabOptions & { readonly all?: boolean }) => {
      const { runDelete } = await import('./vm-commands.ts');
      await runDelete(machines, given);
    });
}

export type { BootOptions };
