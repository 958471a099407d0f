import type { TestHost } from '../support/hosts/test-host.ts';
import type { Ini } from '../support/ini.ts';
import { NeutrinoProcess, writeConfigFiles } from '../support/neutrino.ts';
import { Program } from '../support/program.ts';
import { type StockProgram, stockProgram } from './stock-packages.ts';

/** A program of stock Neutron, or a command of Neutrino. */
export type Which =
  | StockProgram
  | 'neutrino server'
  | 'neutrino dhcp-agent'
  | 'neutrino l2-agent'
  | 'neutrino metadata-agent'
  | 'neutrino db upgrade';

export interface ProgramOnHost {
  readonly which: Which;
  readonly host: TestHost;
  /** Folder for its files. */
  readonly folder: string;
  /** Its INI files by name, in the order of the command line. */
  readonly files: Readonly<Record<string, Ini>>;
  readonly arguments?: readonly string[];
}

/** Creates a program on a test host and writes its files; does not start it. */
export function makeProgram({ which, host, folder, files, arguments: more = [] }: ProgramOnHost): Program {
  if (which.startsWith('neutrino ')) {
    return new NeutrinoProcess({ words: [...which.split(' ').slice(1), ...more], files, folder, host });
  }
  const command = [stockProgram(which as StockProgram), ...writeConfigFiles(folder, files), ...more] as const;
  return new Program({ name: which, command: [...command], folder, host });
}

export const isStock = (program: Program): boolean => !(program instanceof NeutrinoProcess);
