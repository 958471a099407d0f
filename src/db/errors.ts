/** The database could not do its work for a reason that passes; nothing was changed. The cause is the driver's error. */
export class DatabaseUnavailable extends Error {
  constructor(message: string, cause: unknown) {
    super(message, { cause });
    this.name = 'DatabaseUnavailable';
  }
}

/** Returns the error of a transaction that was repeatedly rolled back because of locks of other processes. */
export const stayedLocked = (giveUpAfterMs: number, cause: unknown): DatabaseUnavailable =>
  new DatabaseUnavailable(`The database stayed locked by others for ${giveUpAfterMs / 1000} s; try again.`, cause);

/** The message for operators and clients about an unreachable database. */
export const UNREACHABLE_TEXT = 'The database cannot be reached; try again.';
