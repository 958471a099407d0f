import type { RpcArgs, RpcEndpoint, RpcTransport } from './contract.ts';

/** One method of a topic: its arguments by keyword and its result. */
export interface MethodContract {
  readonly args: object;
  readonly result: unknown;
}

/** The methods of a topic by name. Declared once for each topic in `topics/`; servers and clients both derive from it. */
export interface TopicContract<M extends Record<keyof M, MethodContract>> {
  readonly topic: string;
  /** The version that a server of this topic serves. */
  readonly version: string;
  /** The version that each method is requested with. */
  readonly methods: { readonly [K in keyof M]: string };
}

export type Handlers<M extends Record<keyof M, MethodContract>> = {
  readonly [K in keyof M]: (args: M[K]['args']) => Promise<M[K]['result']> | M[K]['result'];
};

/** Returns typed `call` and `cast` for one topic over a transport. */
export function topicClient<M extends Record<keyof M, MethodContract>>(
  transport: RpcTransport,
  contract: TopicContract<M>,
) {
  return {
    call: <K extends keyof M & string>(
      method: K,
      args: M[K]['args'],
      options: { server?: string; timeoutMs?: number } = {},
    ) =>
      transport.call(
        { topic: contract.topic, ...(options.server === undefined ? {} : { server: options.server }) },
        method,
        args as RpcArgs,
        {
          version: contract.methods[method],
          ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
        },
      ) as Promise<M[K]['result']>,
    cast: <K extends keyof M & string>(
      method: K,
      args: M[K]['args'],
      options: { server?: string; fanout?: boolean } = {},
    ) =>
      transport.cast({ topic: contract.topic, ...options }, method, args as RpcArgs, {
        version: contract.methods[method],
      }),
  };
}

/** Returns the handlers of a topic as the endpoint that a transport serves. */
export function topicEndpoint<M extends Record<keyof M, MethodContract>>(
  contract: TopicContract<M>,
  handlers: Partial<Handlers<M>>,
): RpcEndpoint {
  return { version: contract.version, methods: handlers as RpcEndpoint['methods'] };
}
