import type { Command } from 'commander';
import { type CommandOptions, withConfigFlags } from '../config/flags.ts';

/** The options with which lab commands find Neutrino and this host. */
export interface LabOptions extends CommandOptions {
  readonly url?: string;
  readonly statePath?: string;
  readonly host?: string;
  readonly configFile: readonly string[];
}

export interface BootOptions extends LabOptions {
  readonly network: readonly string[];
  readonly fixedIp?: readonly string[];
  readonly userData?: string;
  readonly key?: readonly string[];
  readonly qemu?: boolean;
  readonly json?: boolean;
  readonly vifPluggingTimeout?: string;
  readonly leaseTimeout?: string;
}

export interface ListOptions extends LabOptions {
  readonly json?: boolean;
}

export interface DeleteOptions extends LabOptions {
  readonly all?: boolean;
}

/** Adds the options of LabOptions to a command. */
export const withLabOptions = (command: Command): Command =>
  withConfigFlags(
    command
      .option(
        '--url <URL>',
        'URL of the API (default: that of the Neutrino on the state path, otherwise as configured)',
      )
      .option('--host <NAME>', 'name of this host, as reported by agents (default: that of the state path)'),
    ['--state-path'],
  );
