/** Arguments of a method by keyword, as they stand in oslo.messaging's `args`. */
export type RpcArgs = Readonly<Record<string, unknown>>;

/** Where a message goes: a topic, one server of it (`topic.server`), or all of its servers (`fanout`). */
export interface RpcTarget {
  readonly topic: string;
  readonly server?: string;
  readonly fanout?: boolean;
}

export interface RpcCallOptions {
  /** Lowest API version that has this form of the method; "1.0" unless told. */
  readonly version?: string;
  /** Milliseconds until the call fails with MessagingTimeout; 60 000 unless told (rpc_response_timeout). */
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
  /** Asks and waits for the answer. Throws MessagingTimeout (naming topic and method), RemoteError, UnsupportedVersion. */
  call(target: RpcTarget, method: string, args: RpcArgs, options?: RpcCallOptions): Promise<unknown>;
  /** Tells; resolves when the message is safe with the transport. Nobody listening is not an error. */
  cast(target: RpcTarget, method: string, args: RpcArgs, options?: RpcCallOptions): Promise<void>;
  /**
   * Serves a topic as `server` (a host name) until `close`. Messages of one queue are handed over in order. `onGap` is called
   * when casts may have been lost that were safe once: whoever kept them (a broker) has forgotten them.
   */
  serve(topic: string, server: string, endpoint: RpcEndpoint, onGap?: () => void): Promise<{ close(): Promise<void> }>;
  close(): Promise<void>;
}
