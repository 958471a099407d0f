import type { Socket } from 'node:net';
import type { WantedProxy } from '../contract.ts';
import type { RateSettings } from '../rate-settings.ts';

/**
 * Texts between the agent and the process that runs the proxies, over the process's control socket: one JSON value a line. The
 * process greets, answers each command in order, and reports what belongs into a log.
 */
export type Command =
  /** Brings these networks to the desired state; the others are unchanged. */
  | { readonly do: 'serve'; readonly proxies: readonly WantedProxy[] }
  | { readonly do: 'stop'; readonly networkId: string }
  /** Takes over the control socket's path: from now on the process outlives the connection. */
  | { readonly do: 'own' }
  /** Stops listening, finishes what it has begun, and ends. */
  | { readonly do: 'leave' };

export interface Answer {
  /** Why the command failed as a whole. */
  readonly error?: string;
  /** Why networks of the command are not served. */
  readonly failed: Readonly<Record<string, string>>;
  /** Number of networks that are served now. */
  readonly serving: number;
}

export interface Greeting {
  readonly pid: number;
  /** What it was started from: sources and settings. */
  readonly identity: string;
  readonly proxies: readonly WantedProxy[];
}

export interface Report {
  readonly level: 'info' | 'warn';
  readonly text: string;
}

export type FromProcess = { readonly greeting: Greeting } | { readonly answer: Answer } | { readonly report: Report };

/** How the process is started: its only argument, as JSON. */
export interface ProcessSettings {
  readonly control: string;
  readonly identity: string;
  /** The metadata agent's socket. */
  readonly upstream: string;
  readonly rates: RateSettings | undefined;
}

/** The file with the id of the process that owns the control socket's path. */
export const pidFile = (control: string): string => `${control}.pid`;

/** Tens of thousands of networks; more than this is no message of ours. */
const MAX_LINE = 16 * 1024 * 1024;

/** Calls back with each JSON value that arrives. Destroys the socket after a line that is too long or not JSON. */
export function readMessages<T>(socket: Socket, onMessage: (message: T) => void): void {
  let rest = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    const lines = `${rest}${text}`.split('\n');
    rest = lines.pop() ?? '';
    try {
      if (rest.length > MAX_LINE) throw new Error(`a line of more than ${MAX_LINE} characters`);
      for (const line of lines) onMessage(JSON.parse(line) as T);
    } catch (error) {
      socket.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  });
}

export function writeMessage(socket: Socket, message: Command | FromProcess): void {
  socket.write(`${JSON.stringify(message)}\n`);
}
