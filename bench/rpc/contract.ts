/** The jobs of both clients, Neutrino's and the bare one, each in a separate process. */
export type RpcJob = { readonly kind: 'serve' | 'connect'; readonly url: string; readonly topic: string } | RpcLoad;

/** Messages of a connected client, of which `atOnce` are unanswered or unconfirmed at any time. */
export interface RpcLoad {
  readonly kind: 'call' | 'cast';
  readonly count: number;
  readonly atOnce: number;
  /** Size of a whole message as sent to the broker. */
  readonly bytes: number;
}

export interface RpcResult {
  /** Calls: until the last reply. Casts: until the last is confirmed, and the server has received all. */
  readonly perSecond: number;
  /** Per message, until its reply or confirm. */
  readonly p50Ms: number;
}

/** Host of the servers. */
export const SERVER = 'bench';
