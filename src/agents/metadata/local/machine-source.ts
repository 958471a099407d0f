import type { RpcTransport } from '../../../rpc/contract.ts';
import { NoSuchMethod, UnsupportedVersion } from '../../../rpc/errors.ts';
import { topicClient } from '../../../rpc/topic.ts';
import { type MachineDocument, METADATA_TOPIC } from '../../../rpc/topics/metadata.ts';
import type { Instance } from '../port-lookup.ts';
import { ShortCache } from '../short-cache.ts';

/** Machines that boot within a few seconds, of one host; each may have 64 KiB of user data. */
const MAX_CACHED = 256;
/** How long the server's description of a machine is used; a booting machine asks dozens of times within seconds. */
const KEEP_MS = 5_000;
/** How long a stock server is not asked again for methods that it lacks, because it logs each such request as an error. */
const STOCK_MS = 600_000;

interface SourceOptions {
  readonly transport: RpcTransport;
  /** Milliseconds until a request to the server fails. */
  readonly timeoutMs: number;
  readonly now?: () => number;
}

const isLacking = (error: unknown): boolean => error instanceof NoSuchMethod || error instanceof UnsupportedVersion;

/** Returns a source of machines as the server describes them; a stock server only knows their ports. Methods throw what calls throw. */
export function machineSource({ transport, timeoutMs, now = () => performance.now() }: SourceOptions) {
  const client = topicClient(transport, METADATA_TOPIC);
  const machines = new ShortCache<MachineDocument>(MAX_CACHED, now);
  let stockUntil = Number.NEGATIVE_INFINITY;
  const argumentsOf = ({ id, project }: Instance) => ({ device_id: id, project_id: project });

  /** Calls a method that stock servers lack; undefined: this one lacks it. */
  async function callOwn<T>(call: () => Promise<T>): Promise<T | undefined> {
    if (now() < stockUntil) return undefined;
    try {
      return await call();
    } catch (error) {
      if (!isLacking(error)) throw error;
      stockUntil = now() + STOCK_MS;
      return undefined;
    }
  }

  async function load(instance: Instance): Promise<MachineDocument | undefined> {
    const own = await callOwn(() => client.call('get_machine', argumentsOf(instance), { timeoutMs }));
    if (own !== undefined) return own ?? undefined;
    const filters = { device_id: [instance.id], tenant_id: [instance.project] };
    const ports = await client.call('get_ports', { filters }, { timeoutMs });
    if (ports.length === 0) return undefined;
    const nothing = { networks: [], security_groups: [], floating_ips: [], public_keys: {} };
    return { ports, ...nothing, name: null, user_data: null, password: null };
  }

  return {
    /** Returns a machine as described at most `maxAgeMs` ago; undefined if it has no port. */
    find: (instance: Instance, maxAgeMs = KEEP_MS): Promise<MachineDocument | undefined> =>
      // The project's id contains no white space.
      machines.get(`${instance.project} ${instance.id}`, maxAgeMs, () => load(instance)),
    /** Stores the password of a machine. Returns whether it had none; undefined if the server stores none. */
    setPassword: (instance: Instance, password: string): Promise<boolean | undefined> =>
      callOwn(() => client.call('set_machine_password', { ...argumentsOf(instance), password }, { timeoutMs })),
  };
}

export type MachineSource = ReturnType<typeof machineSource>;
