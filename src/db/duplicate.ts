import { isDuplicate as isMysqlDuplicate } from './mysql/errors.ts';
import { isDuplicate as isSqliteDuplicate } from './sqlite/errors.ts';

/** Returns whether a statement failed because a row with the same unique key exists. */
export const isDuplicate = (error: unknown): boolean => isSqliteDuplicate(error) || isMysqlDuplicate(error);
