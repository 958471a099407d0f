/**
 * No reply arrived in time: the topic has no server, or the server is busy or has died. The request may have been carried out.
 */
export class MessagingTimeout extends Error {
  readonly topic: string;
  readonly method: string;
  readonly timeoutMs: number;

  /** `why`: what the transport knows about the cause, and what to do. */
  constructor(topic: string, method: string, timeoutMs: number, why?: string) {
    super(`no answer to ${method} on ${topic} within ${timeoutMs} ms${why === undefined ? '' : `: ${why}`}`);
    this.name = 'MessagingTimeout';
    this.topic = topic;
    this.method = method;
    this.timeoutMs = timeoutMs;
  }
}

/** The server answered with a failure: the class that was thrown there (`NetworkNotFound`) and its message. */
export class RemoteError extends Error {
  readonly remoteClass: string;
  readonly remoteMessage: string;

  constructor(topic: string, method: string, remoteClass: string, remoteMessage: string) {
    super(`${method} on ${topic} failed there with ${remoteClass}: ${remoteMessage}`);
    this.name = 'RemoteError';
    this.remoteClass = remoteClass;
    this.remoteMessage = remoteMessage;
  }
}

/** The server serves the topic, but not in the requested version. The text is oslo.messaging's. */
export class UnsupportedVersion extends Error {
  readonly method: string;
  readonly version: string;

  constructor(method: string, version: string) {
    super(`Endpoint does not support RPC version ${version}. Attempted method: ${method}`);
    this.name = 'UnsupportedVersion';
    this.method = method;
    this.version = version;
  }
}

/** The server serves the topic in the requested version, but does not have the method. The text is oslo.messaging's. */
export class NoSuchMethod extends Error {
  readonly method: string;

  constructor(method: string) {
    super(`Endpoint does not support RPC method ${method}`);
    this.name = 'NoSuchMethod';
    this.method = method;
  }
}

/** A queue is at its limit, because its server does not keep up. Retry later. */
export class QueueFull extends Error {
  readonly queue: string;

  constructor(queue: string, bound: number) {
    super(`queue ${queue} is full: ${bound} messages wait for its server`);
    this.name = 'QueueFull';
    this.queue = queue;
  }
}

/** The broker did not accept the message in time, or refused it. It may have been delivered nevertheless. */
export class MessageNotSent extends Error {
  /** Whether it timed out; otherwise the broker refused it. */
  readonly late: boolean;

  constructor(what: string, why: string, late = false) {
    super(`${what} was not sent: ${why}`);
    this.name = 'MessageNotSent';
    this.late = late;
  }
}

/** The transport was closed before the operation, or during it. */
export class TransportClosed extends Error {
  constructor(doing: string) {
    super(`${doing}: the RPC transport is closed`);
    this.name = 'TransportClosed';
  }
}
