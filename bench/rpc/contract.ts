/** What is asked of both kinds of clients, the product's and the bare one, each in a process of its own. */
export type RpcJob = { readonly kind: 'serve' | 'connect'; readonly url: string; readonly topic: string } | RpcLoad;

/** Messages of a connected client; `atOnce` of them wait for their answer or confirm at any time. */
export interface RpcLoad {
  readonly kind: 'call' | 'cast';
  readonly count: number;
  readonly atOnce: number;
  /** Of a whole message, as it goes to the broker. */
  readonly bytes: number;
}

export interface RpcResult {
  /** Calls: until the last answer. Casts: until the last is confirmed, and the server has had them all. */
  readonly perSecond: number;
  /** Of one message, until its answer or its confirm. */
  readonly p50Ms: number;
}

/** Host of the servers. */
export const SERVER = 'bench';
