import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UUID } from '../net/patterns.ts';
import type { GuestNic } from './contract.ts';
import { LabFailure } from './failure.ts';

/** A NIC of a machine and the port behind it. */
export interface InstanceNic extends GuestNic {
  readonly networkId: string;
  readonly networkName: string;
  readonly mtu: number | null;
  readonly portId: string;
  readonly bridge: string;
  readonly fixedIps: readonly string[];
  /** The fixed IPs expected by DHCP: IPv4, of a subnet with DHCP. */
  readonly asked: readonly string[];
}

/** The record of a machine, stored as `instance.json` in its folder. */
export interface Instance {
  readonly version: 1;
  readonly id: string;
  readonly name: string;
  readonly kind: 'namespace' | 'qemu';
  /** The API in which its ports were created. */
  readonly url: string;
  readonly host: string;
  readonly createdAt: string;
  /** `making` until the machine has been started, and also after its boot was killed. */
  readonly stage: 'making' | 'ready';
  /** The process that boots it. */
  readonly maker: { readonly pid: number; readonly startTime: number };
  readonly nics: readonly InstanceNic[];
}

/** The folder of a machine; without `instance` if the boot was killed before it recorded anything. */
export interface StoredInstance {
  readonly id: string;
  readonly folder: string;
  readonly instance?: Instance;
}

const RECORD = 'instance.json';

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** The machines of one state path. */
export interface InstanceStore {
  folder(id: string): string;
  /** Creates the machine's folder with its first record. */
  create(instance: Instance): Promise<void>;
  /** Replaces the record. Throws if the folder is gone because the machine was deleted meanwhile. */
  save(instance: Instance): Promise<void>;
  list(): Promise<readonly StoredInstance[]>;
  /** Returns the machines with this id or name. */
  find(idOrName: string): Promise<readonly StoredInstance[]>;
  /** Removes the folder, its record last, so that the machine keeps its name until everything is gone. */
  remove(id: string): Promise<void>;
}

/** Opens the store in `$state_path/instances`. */
export function instanceStore(statePath: string): InstanceStore {
  const root = join(statePath, 'instances');
  const folder = (id: string) => {
    if (!isUuid(id)) throw new LabFailure(`${JSON.stringify(id)} is not a UUID`);
    return join(root, id);
  };

  async function save(instance: Instance): Promise<void> {
    const path = join(folder(instance.id), RECORD);
    await writeFile(`${path}.new`, `${JSON.stringify(instance, null, 2)}\n`);
    await rename(`${path}.new`, path);
  }

  async function read(id: string): Promise<StoredInstance> {
    const found = { id, folder: folder(id) };
    try {
      const instance = JSON.parse(await readFile(join(found.folder, RECORD), 'utf8')) as Instance;
      return instance.version === 1 && instance.id === id ? { ...found, instance } : found;
    } catch (error) {
      // The record is missing or incomplete: only the folder is known.
      if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return found;
      throw error;
    }
  }

  async function list(): Promise<readonly StoredInstance[]> {
    const names = await readdir(root).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    const found = await Promise.all(names.filter(isUuid).map(read));
    return found.sort((a, b) => (a.instance?.createdAt ?? '').localeCompare(b.instance?.createdAt ?? ''));
  }

  return {
    folder,
    save,
    list,
    create: async (instance) => {
      await mkdir(root, { recursive: true });
      await mkdir(folder(instance.id));
      await save(instance);
    },
    find: async (idOrName) =>
      (await list()).filter(({ id, instance }) => id === idOrName || instance?.name === idOrName),
    remove: async (id) => {
      const files = await readdir(folder(id)).catch(() => []);
      for (const file of files.filter((name) => name !== RECORD)) {
        await rm(join(folder(id), file), { recursive: true, force: true });
      }
      await rm(folder(id), { recursive: true, force: true });
    },
  };
}
