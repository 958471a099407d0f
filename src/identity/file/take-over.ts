import { chmodSync, linkSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { ConfigError } from '../../config/parse.ts';
import { IdentityError } from '../errors.ts';
import type { IdentityService } from '../service.ts';
import { fileHash } from '../settings.ts';
import { applyFile, hashFile } from './apply.ts';
import { firstIdentityFile } from './first.ts';
import { type IdentityFile, readIdentityFile } from './read.ts';

const MAX_BYTES = 4 * 1024 * 1024;

/** Another server has stored the first file at the same moment. */
class NotFirst extends Error {}

/**
 * Brings users, projects and roles to what `identity.yaml` says, if it has changed since the last start; the first start of a
 * database makes the file. Returns what it says; undefined on a server without the file, whose users come from the database
 * alone. Throws ConfigError that names the line for an invalid file.
 */
export async function takeOverFile(identity: IdentityService, path: string): Promise<IdentityFile | undefined> {
  const text = readText(path);
  const known = await fileHash(identity.db);
  if (text === undefined) return known === undefined ? makeFirst(identity, path) : undefined;
  if (statSync(path).mode & 0o077)
    identity.log.warn(`${path} holds passwords and can be read by others than its owner: chmod 600 ${path}`);
  const file = readIdentityFile(text, path);
  if (known !== undefined && (await identity.passwords.matches(text, known))) return file;
  const hashed = await hashFile(identity.db, identity.passwords, text, file);
  await identity
    .change((trx) => applyFile(trx, hashed))
    .catch((error: unknown) => {
      throw error instanceof IdentityError ? new ConfigError(`${path}: ${error.message}`) : error;
    });
  identity.log.info({ users: file.users.length, projects: file.projects.length }, `${path} has been taken over`);
  return file;
}

async function makeFirst(identity: IdentityService, path: string): Promise<IdentityFile | undefined> {
  const text = firstIdentityFile();
  const file = readIdentityFile(text, path);
  const hashed = await hashFile(identity.db, identity.passwords, text, file);
  // Before the commit: a file that is there and has not been stored is taken over by the next start.
  if (!createPrivate(path, text)) return takeOverFile(identity, path);
  try {
    await identity.change(async (trx) => {
      if (!(await applyFile(trx, hashed))) throw new NotFirst();
    });
  } catch (error) {
    const stored = error instanceof NotFirst ? await fileHash(identity.db) : undefined;
    // Another process of this state path has taken this file over in the meantime.
    if (stored !== undefined && (await identity.passwords.matches(text, stored))) return file;
    rmSync(path, { force: true });
    if (error instanceof NotFirst) return undefined;
    throw error;
  }
  identity.log.info(`${path} was made, with random passwords`);
  return file;
}

function readText(path: string): string | undefined {
  try {
    if (statSync(path).size > MAX_BYTES) throw new ConfigError(`${path}: larger than ${MAX_BYTES} bytes`);
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Creates a file that only its owner can read, whole or not at all; returns false if it exists already. */
function createPrivate(path: string, text: string): boolean {
  const partial = `${path}.${process.pid}.new`;
  writeFileSync(partial, text, { mode: 0o600 });
  // The mode above does not apply to a file that a killed process has left.
  chmodSync(partial, 0o600);
  try {
    linkSync(partial, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(partial, { force: true });
  }
}
