import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { waitFor } from '../../../../time/wait.ts';
import {
  type Answer,
  type Command,
  type FromProcess,
  type Greeting,
  type Report,
  readMessages,
  writeMessage,
} from './messages.ts';

/** A process that needs longer hangs. */
const ANSWER_MS = 10_000;

export interface ConnectionEvents {
  readonly onReport: (report: Report) => void;
  readonly onClose: (connection: Connection) => void;
}

/** An agent's connection to the process that runs the proxies. */
export class Connection {
  readonly greeting: Greeting;
  readonly #socket: Socket;
  readonly #waiting: PromiseWithResolvers<Answer>[];

  private constructor(socket: Socket, greeting: Greeting, waiting: PromiseWithResolvers<Answer>[]) {
    this.#socket = socket;
    this.greeting = greeting;
    this.#waiting = waiting;
  }

  /** Connects to the process with this control socket; returns undefined if there is none. Throws if it does not greet. */
  static async find(path: string, { onReport, onClose }: ConnectionEvents): Promise<Connection | undefined> {
    const socket = connect({ path });
    let connection: Connection | undefined;
    const waiting: PromiseWithResolvers<Answer>[] = [];
    const { promise: greeted, resolve, reject } = Promise.withResolvers<Greeting>();
    greeted.catch(() => undefined);
    try {
      await once(socket, 'connect');
      socket.on('error', () => undefined);
      socket.on('close', () => {
        const error = new Error('the process of the metadata proxies has ended');
        reject(error);
        for (const one of waiting.splice(0)) one.reject(error);
        if (connection) onClose(connection);
      });
      readMessages<FromProcess>(socket, (message) => {
        if ('greeting' in message) resolve(message.greeting);
        else if ('report' in message) onReport(message.report);
        else waiting.shift()?.resolve(message.answer);
      });
      const greeting = await waitFor('a greeting of the metadata proxies', greeted, ANSWER_MS);
      connection = new Connection(socket, greeting, waiting);
      return connection;
    } catch (error) {
      socket.destroy();
      if (['ENOENT', 'ECONNREFUSED'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
      throw error;
    }
  }

  /** Sends a command and returns the answer. Throws if it fails, the process ends, or does not answer in time. */
  async ask(command: Command): Promise<Answer> {
    if (this.#socket.destroyed) throw new Error('the process of the metadata proxies has ended');
    const answered = Promise.withResolvers<Answer>();
    this.#waiting.push(answered);
    writeMessage(this.#socket, command);
    const answer = await waitFor(`an answer of the metadata proxies to ${command.do}`, answered.promise, ANSWER_MS);
    if (answer.error !== undefined) throw new Error(`the process of the metadata proxies: ${answer.error}`);
    return answer;
  }

  close(): void {
    this.#socket.end();
  }
}
