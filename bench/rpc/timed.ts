import { percentile } from '../spread.ts';
import type { RpcLoad, RpcResult } from './contract.ts';

/** Sends a load with `send`, which resolves on a message's reply or confirm; then waits for `settled`. */
export async function timed(
  load: RpcLoad,
  send: () => Promise<unknown>,
  settled: () => Promise<unknown>,
): Promise<RpcResult> {
  const took: number[] = [];
  let left = load.count;
  const began = performance.now();
  await Promise.all(
    Array.from({ length: load.atOnce }, async () => {
      while (left-- > 0) {
        const sent = performance.now();
        await send();
        took.push(performance.now() - sent);
      }
    }),
  );
  await settled();
  return { perSecond: (load.count * 1000) / (performance.now() - began), p50Ms: percentile(took, 0.5) };
}
