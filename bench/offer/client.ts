import { ipBatch } from '../../src/linux/ip.ts';
import { addVethCommand } from '../../src/linux/links.ts';
import { deleteNamespace, ensureNamespace } from '../../src/linux/namespaces.ts';
import { run } from '../../src/linux/run.ts';
import { type Child, startChild } from '../child.ts';
import type { OfferResult } from './client-process.ts';

/** A DHCP client in its own namespace behind a device. */
export interface DhcpClient {
  /** Sends DISCOVERs for the MAC from now on, every 2 ms. */
  ask(mac: string): Promise<void>;
  /** Returns the first offer to that MAC and its time (nanoseconds of the monotonic clock). Throws after the time limit. */
  offer(): Promise<{ readonly address: string; readonly at: bigint }>;
  stop(): Promise<void>;
}

const EVERY_MS = 2;
const OFFER_MS = 30_000;

/** Creates the namespace and a veth pair from `device` (in `deviceNamespace`, or where Neutrino runs), and starts the client. */
export async function startDhcpClient(
  namespace: string,
  device: string,
  deviceNamespace?: string,
): Promise<DhcpClient> {
  await ensureNamespace(namespace);
  let child: Child | undefined;
  const stop = async () => {
    await child?.stop();
    await deleteNamespace(namespace);
  };
  try {
    const outside = deviceNamespace === undefined ? {} : { namespace: deviceNamespace };
    const veth = addVethCommand({ name: device, ...outside }, { name: 'eth0', namespace });
    await ipBatch([veth, ['link', 'set', 'dev', device, 'up']], outside);
    await ipBatch(
      [
        ['link', 'set', 'dev', 'eth0', 'up'],
        // Without an own address, broadcasts need this route, and are sent from 0.0.0.0.
        ['route', 'add', '255.255.255.255/32', 'dev', 'eth0'],
      ],
      { namespace },
    );
    const prefix = ['ip', 'netns', 'exec', namespace] as const;
    await run([...prefix, 'sh', '-c', 'echo 0 | tee /proc/sys/net/ipv4/conf/*/rp_filter']);
    const sender = startChild(new URL('./client-process.ts', import.meta.url), prefix);
    child = sender;
    return {
      ask: async (mac) => void (await sender.ask({ kind: 'start', mac, everyMs: EVERY_MS })),
      async offer() {
        const { address, at } = await sender.ask<OfferResult>({ kind: 'offer', timeoutMs: OFFER_MS }, OFFER_MS + 5000);
        return { address, at: BigInt(at) };
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
