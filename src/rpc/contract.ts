/** Arguments of a method by keyword, as in oslo.messaging's `args`. */
export type RpcArgs = Readonly<Record<string, unknown>>;

/** Where a message goes: a topic, one server of it (`topic.server`), or all of its servers (`fanout`). */
export interface RpcTarget {
  readonly topic: string;
  readonly server?: string;
  readonly fanout?: boolean;
}

export interface RpcCallOptions {
  /** Lowest API version that has this form of the method; default: "1.0". */
  readonly version?: string;
  /** Milliseconds until the call fails with MessagingTimeout; default: 60 000 (rpc_response_timeout). */
  readonly timeoutMs?: number;
}

/** Methods served on a topic. A handler MAY throw; a call's caller gets the error, a cast's error is logged. */
export interface RpcEndpoint {
  /** Served version, e.g. "1.10": a request is accepted when the major is equal and its minor is not higher. */
  readonly version: string;
  readonly methods: Readonly<Record<string, (args: RpcArgs) => Promise<unknown> | unknown>>;
}

/** What carries messages between servers and agents. Implementations: memory (one process), rabbit (AMQP 0-9-1). */
export interface RpcTransport {
  /**
   * Sends a request and waits for the answer. Throws MessagingTimeout (naming topic and method), RemoteError, UnsupportedVersion.
   */
  call(target: RpcTarget, method: string, args: RpcArgs, options?: RpcCallOptions): Promise<unknown>;
  /** Sends a message; resolves once the transport has accepted it, even if no server listens. */
  cast(target: RpcTarget, method: string, args: RpcArgs, options?: RpcCallOptions): Promise<void>;
  /**
   * Serves a topic as `server` (a host name) until `close`. Messages of one queue are delivered in order. `onGap` is called when
   * casts that were safe may have been lost, because the broker has forgotten its queues.
   */
  serve(topic: string, server: string, endpoint: RpcEndpoint, onGap?: () => void): Promise<{ close(): Promise<void> }>;
  close(): Promise<void>;
}
