/** SQLite's primary result code of an error; extended codes keep it in their low byte (https://sqlite.org/rescode.html). */
function primaryCode(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === 'number' ? code & 0xff : undefined;
}

/** Returns whether another connection's lock caused the error (SQLITE_BUSY, SQLITE_LOCKED). */
export const isBusy = (error: unknown): boolean => [5, 6].includes(primaryCode(error) ?? 0);

/** Whether the disk is full (SQLITE_FULL). */
export const isDiskFull = (error: unknown): boolean => primaryCode(error) === 13;

/** Whether the file is a database, but a damaged one (SQLITE_CORRUPT). */
export const isDamaged = (error: unknown): boolean => primaryCode(error) === 11;

/** Whether the file is not a database (SQLITE_NOTADB). */
export const isNoDatabase = (error: unknown): boolean => primaryCode(error) === 26;

/** Whether a row with the same unique or primary key exists (SQLITE_CONSTRAINT_UNIQUE, SQLITE_CONSTRAINT_PRIMARYKEY). */
export const isDuplicate = (error: unknown): boolean =>
  [2067, 1555].includes(Number((error as { errcode?: unknown } | null)?.errcode));
