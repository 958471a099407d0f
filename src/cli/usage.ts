import { Command } from 'commander';

const HELP = ['-h', '--help'];

/**
 * A command that reports all unknown options (commander reports only the first), and throws CommanderError instead of ending
 * the process.
 */
export class CheckedCommand extends Command {
  override createCommand(name?: string): Command {
    return new CheckedCommand(name);
  }

  override parseOptions(words: string[]): ReturnType<Command['parseOptions']> {
    const parsed = super.parseOptions(words);
    const unknown = parsed.unknown.filter((word) => /^-./.test(word)).map((word) => word.replace(/=.*/s, ''));
    // Subcommands check their own options; for a single unknown option, commander suggests a similar one.
    if (this.commands.length === 0 && unknown.length > 1 && !unknown.some((word) => HELP.includes(word)))
      this.error(`error: unknown options ${unknown.map((word) => `'${word}'`).join(', ')}`);
    return parsed;
  }
}

/** Commands that people know from other programs, and their counterparts here. */
const ELSEWHERE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  neutrino: {
    status: 'use "neutrino config show" for the Neutrino of a state path, "neutrino vm list" for its machines',
    start: 'use "neutrino up"',
    stop: 'use "neutrino down"',
    agent: 'use "neutrino dhcp-agent" or "neutrino l2-agent"',
  },
  vm: {
    rm: 'use "neutrino vm delete"',
    remove: 'use "neutrino vm delete"',
    destroy: 'use "neutrino vm delete"',
    stop: 'use "neutrino vm delete"',
    create: 'use "neutrino vm boot"',
    start: 'use "neutrino vm boot"',
    run: 'use "neutrino vm boot"',
    ls: 'use "neutrino vm list"',
    show: 'use "neutrino vm list"',
  },
};

/** Adds the names in ELSEWHERE as hidden commands, whose error names the right command. */
export function addHints(program: Command): void {
  for (const parent of [program, ...program.commands]) {
    for (const [name, right] of Object.entries(ELSEWHERE[parent.name()] ?? {})) {
      parent
        .command(name, { hidden: true })
        .helpOption(false)
        .allowUnknownOption()
        .allowExcessArguments()
        .action((_options: unknown, command: Command) => command.error(`error: unknown command '${name}'\n(${right})`));
    }
  }
}
