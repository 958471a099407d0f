/** An entry of the catalogue: HTTP status, message template, and when the error occurs. */
interface ErrorKind {
  readonly status: number;
  /** `{name}` is replaced by the value of that name. */
  readonly template: string;
  readonly when: string;
}

/** The errors of one room, by Neutron's type. */
export type ErrorKinds = Readonly<Record<string, ErrorKind>>;
