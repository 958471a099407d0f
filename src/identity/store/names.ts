import { isDuplicate } from '../../db/duplicate.ts';
import { IdentityError } from '../errors.ts';

/** Waits for a statement that stores a name. Throws IdentityError 409 if the name is taken. */
export async function unlessTaken(what: string, name: string, statement: Promise<unknown>): Promise<void> {
  try {
    await statement;
  } catch (error) {
    if (!isDuplicate(error)) throw error;
    throw new IdentityError(
      409,
      `Conflict occurred attempting to store ${what} - it is not permitted to have two with the same name: ${name}.`,
    );
  }
}
