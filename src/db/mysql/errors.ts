/** Codes of mysql2 and of the operating system for a connection that could not be opened, or that broke. */
const UNREACHABLE: readonly string[] = [
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'PROTOCOL_CONNECTION_LOST',
  'PROTOCOL_SEQUENCE_TIMEOUT',
  'ER_CON_COUNT_ERROR',
  'ER_SERVER_SHUTDOWN',
  'ER_CONNECTION_KILLED',
  'ER_UNKNOWN_COM_ERROR',
  'POOL_CLOSED',
];

/** Server errors after which the whole transaction was rolled back and can be run again. */
const UNDONE: readonly number[] = [
  1213, // ER_LOCK_DEADLOCK; Galera's failed certification too
  1205, // ER_LOCK_WAIT_TIMEOUT
  1020, // ER_CHECKREAD: MariaDB's snapshot conflict
  3058, // ER_USER_LOCK_DEADLOCK
];

/** Server errors because another transaction has added or deleted a row since this one read: what it decided no longer holds. */
const OVERTAKEN: readonly number[] = [
  1062, // ER_DUP_ENTRY
  1451, // ER_ROW_IS_REFERENCED_2
  1452, // ER_NO_REFERENCED_ROW_2
];

/** Server errors of a Galera node that is not (yet) part of the cluster, or of a server going down: try elsewhere, later. */
const NOT_READY: readonly number[] = [
  1047, // ER_UNKNOWN_COM_ERROR: WSREP has not yet prepared node
  1053, // ER_SERVER_SHUTDOWN
  1927, // ER_CONNECTION_KILLED (MariaDB)
  4031, // the server closed an idle connection
];

interface DriverError {
  readonly code?: unknown;
  readonly errno?: unknown;
  readonly message?: unknown;
}

const facts = (error: unknown): DriverError => (error ?? {}) as DriverError;

/** Returns whether the database rolled the transaction back for a transient reason. */
export const isUndone = (error: unknown): boolean => UNDONE.includes(Number(facts(error).errno));

/** Returns whether another transaction has added or deleted a row that this one relied on; run again, it reads the row's new state. */
export const isOvertaken = (error: unknown): boolean => OVERTAKEN.includes(Number(facts(error).errno));

/** Returns whether a row with the same unique key exists (ER_DUP_ENTRY). */
export const isDuplicate = (error: unknown): boolean => Number(facts(error).errno) === 1062;

/** Returns whether the server is unreachable. It rolls back what was not committed. */
export function isUnreachable(error: unknown): boolean {
  const { code, errno, message } = facts(error);
  if (NOT_READY.includes(Number(errno))) return true;
  if (typeof code === 'string' && UNREACHABLE.includes(code)) return true;
  return typeof message === 'string' && /closed state|Connection lost|Pool is closed|read ECONN|write E/.test(message);
}
