/** A flag of the command line that sets an option. */
export interface ConfigFlag {
  readonly flag: string;
  /** Name of its argument in `--help`. */
  readonly argument: string;
  readonly section: string;
  readonly name: string;
}

/** The flags that set options in commands such as `up`; each overrides environment and files. */
export const CONFIG_FLAGS: readonly ConfigFlag[] = [
  { flag: '--bind-host', argument: 'ADDRESS', section: 'DEFAULT', name: 'bind_host' },
  { flag: '--bind-port', argument: 'PORT', section: 'DEFAULT', name: 'bind_port' },
  { flag: '--state-path', argument: 'FOLDER', section: 'DEFAULT', name: 'state_path' },
  { flag: '--host', argument: 'NAME', section: 'DEFAULT', name: 'host' },
  { flag: '--auth', argument: 'STRATEGY', section: 'DEFAULT', name: 'auth_strategy' },
  { flag: '--log-format', argument: 'FORMAT', section: 'DEFAULT', name: 'log_format' },
];
