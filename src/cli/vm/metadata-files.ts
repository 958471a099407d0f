import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { MachineMetadata } from '../../lab/neutron.ts';
import { UsageFailure } from '../process/failure.ts';
import type { BootOptions } from './options.ts';

/** 64 KiB in base64, as in Nova. */
const MAX_USER_DATA = 49_149;
const MAX_KEYS_FILE = 65_536;
const PUBLIC_KEY = /^[a-z0-9][a-z0-9.@-]{2,63} [A-Za-z0-9+/]{16,}={0,2}( .*)?$/;

function read(option: string, file: string, max: number): Buffer {
  let data: Buffer;
  try {
    data = readFileSync(file);
  } catch (error) {
    throw new UsageFailure(`${option} ${file}: ${(error as Error).message}`);
  }
  if (data.length > max) throw new UsageFailure(`${option} ${file}: ${data.length} bytes, at most ${max} are possible`);
  return data;
}

/** Returns the keys of a file with one a line, named after the file: `id_ed25519` for `~/.ssh/id_ed25519.pub`. */
function keysOf(file: string): readonly (readonly [name: string, key: string])[] {
  const text = read('--key', file, MAX_KEYS_FILE).toString('utf8');
  const lines = text.split('\n').map((line) => line.trim());
  const keys = lines.filter((line) => line !== '' && !line.startsWith('#'));
  if (keys.length === 0 || !keys.every((key) => PUBLIC_KEY.test(key)))
    throw new UsageFailure(`--key ${file}: must contain OpenSSH public keys, one a line`);
  const name = basename(file)
    .replace(/\.pub$/, '')
    .replaceAll(/[^\w.@-]/g, '_');
  return keys.map((key, i) => [i === 0 ? name : `${name}-${i + 1}`, key]);
}

/** Reads the files that `vm boot` names. Throws UsageFailure for files that cannot be metadata. */
export function metadataOf({ userData, key: keyFiles = [] }: Pick<BootOptions, 'userData' | 'key'>): MachineMetadata {
  const data = userData === undefined ? null : read('--user-data', userData, MAX_USER_DATA).toString('base64');
  const publicKeys: Record<string, string> = {};
  for (const [name, key] of keyFiles.flatMap(keysOf)) {
    if (name in publicKeys) throw new UsageFailure(`--key: two keys are named ${name}`);
    publicKeys[name] = key;
  }
  return { userData: data, publicKeys };
}
