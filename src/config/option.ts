/** The types of option values; `parse.ts` converts text into them and reports what is expected if it cannot. */
export type OptionKind =
  | {
      readonly kind: 'string';
      readonly choices?: readonly string[];
      /** Other spellings, such as Neutron's dotted paths of drivers, and the choice that each means. */
      readonly aliases?: Readonly<Record<string, string>>;
      readonly pattern?: RegExp;
      readonly hint?: string;
      /** The value is an IPv4 prefix without host bits. */
      readonly prefix?: true;
      /** The value is a path; relative paths are resolved against the working directory. */
      readonly path?: true;
      /** The value is a path, looked up beside the configuration files; these names are the defaults, which need not exist. */
      readonly lookup?: readonly string[];
    }
  | { readonly kind: 'integer'; readonly min?: number; readonly max?: number }
  | { readonly kind: 'float'; readonly min?: number; readonly max?: number }
  | { readonly kind: 'boolean' }
  | {
      readonly kind: 'list';
      readonly pattern?: RegExp;
      readonly hint?: string;
      /** The values are paths, looked up beside the configuration files; the default ones need not exist. */
      readonly lookup?: true;
    };

export interface Option<T> {
  readonly type: OptionKind;
  readonly default: T;
  readonly help: string;
  /** Text that the docs show instead of a default that depends on the machine. */
  readonly defaultText?: string;
  /** Other names of the option in Neutron. */
  readonly formerly?: readonly string[];
  /** Passwords and the like are not shown by `config show`. */
  readonly secret?: true;
  /** Process that reads it; default: all. In other processes' files its value may be one that only stock Neutron supports. */
  readonly readBy?: ConfigReader;
}

/** The process that reads a configuration: a server (also `up`), or a separate agent. */
export type ConfigReader = 'server' | 'agent';

type StringDetails = Omit<Extract<OptionKind, { kind: 'string' }>, 'kind'>;
type ListDetails = Omit<Extract<OptionKind, { kind: 'list' }>, 'kind'>;
type Naming = Pick<Option<unknown>, 'defaultText' | 'formerly' | 'readBy' | 'secret'>;

export const text = (
  fallback: string,
  help: string,
  details: StringDetails = {},
  naming: Naming = {},
): Option<string> => ({
  type: { kind: 'string', ...details },
  default: fallback,
  help,
  ...naming,
});
const bounds = (min?: number, max?: number) => ({
  ...(min === undefined ? {} : { min }),
  ...(max === undefined ? {} : { max }),
});
export const integer = (
  fallback: number,
  help: string,
  min?: number,
  max?: number,
  naming: Naming = {},
): Option<number> => ({ type: { kind: 'integer', ...bounds(min, max) }, default: fallback, help, ...naming });
export const float = (fallback: number, help: string, min?: number, max?: number): Option<number> => ({
  type: { kind: 'float', ...bounds(min, max) },
  default: fallback,
  help,
});
export const flag = (fallback: boolean, help: string, naming: Naming = {}): Option<boolean> => ({
  type: { kind: 'boolean' },
  default: fallback,
  help,
  ...naming,
});
export const list = (
  fallback: readonly string[],
  help: string,
  details: ListDetails = {},
  naming: Naming = {},
): Option<readonly string[]> => ({ type: { kind: 'list', ...details }, default: fallback, help, ...naming });

/** The value of an option whose path does not exist. */
export const nothingOf = ({ kind }: OptionKind): string | readonly string[] => (kind === 'list' ? [] : '');
