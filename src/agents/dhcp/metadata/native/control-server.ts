import { once } from 'node:events';
import { renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import type { WantedProxy } from '../contract.ts';
import type { Listeners } from './listeners.ts';
import {
  type Answer,
  type Command,
  type ProcessSettings,
  pidFile,
  type Report,
  readMessages,
  writeMessage,
} from './messages.ts';

/** The agent connects at once; without it, there is nothing to do. */
const FIRST_CONNECTION_MS = 10_000;
const LOOK_MS = 1_000;
/** Reports while no agent is connected; the newest ones are kept. */
const MAX_REPORTS = 50;

interface Parts {
  readonly settings: ProcessSettings;
  readonly listeners: Listeners;
  /** Called once, when the process must end. */
  readonly onLeave: () => void;
}

/**
 * The socket on which agents control the process. Its path belongs to one process: one that does not own it, or lost it, ends with
 * its last connection.
 */
export class ControlServer {
  readonly #parts: Parts;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #path: string;
  /** Identity of the file, once this process owns the path. */
  #inode: number | undefined;
  #reports: Report[] = [];
  #isLeaving = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#path = `${parts.settings.control}.${process.pid}`;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /** Listens on a path of its own. */
  async start(): Promise<void> {
    rmSync(this.#path, { force: true });
    this.#server.listen(this.#path);
    await once(this.#server, 'listening');
    setTimeout(() => {
      if (this.#inode === undefined && this.#sockets.size === 0) this.leave();
    }, FIRST_CONNECTION_MS).unref();
    setInterval(() => {
      if (this.#inode !== undefined && inodeOf(this.#path) !== this.#inode) this.leave();
    }, LOOK_MS).unref();
  }

  /** Sends a report to the agents that are connected, or keeps it for the next one. */
  report(report: Report): void {
    if (this.#sockets.size === 0) this.#reports = [...this.#reports, report].slice(-MAX_REPORTS);
    for (const socket of this.#sockets) writeMessage(socket, { report });
  }

  #accept(socket: Socket): void {
    const { settings, listeners } = this.#parts;
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      const isIdle = this.#inode === undefined || listeners.size === 0;
      if (isIdle && this.#sockets.size === 0) this.leave();
    });
    writeMessage(socket, {
      greeting: { pid: process.pid, identity: settings.identity, proxies: listeners.proxies() },
    });
    for (const report of this.#reports.splice(0)) writeMessage(socket, { report });
    readMessages<Command>(socket, (command) => {
      writeMessage(socket, { answer: this.#obey(command) });
      if (command.do === 'leave') this.leave();
    });
  }

  #obey(command: Command): Answer {
    const { listeners } = this.#parts;
    try {
      const failed = command.do === 'serve' ? this.#serve(command.proxies) : {};
      if (command.do === 'stop') listeners.stop(command.networkId);
      if (command.do === 'own') this.#own();
      // Before the answer, because the agent may look for files then.
      if (command.do === 'leave') this.#removeFiles();
      return { failed, serving: listeners.size };
    } catch (error) {
      return { error: error instanceof Error ? error.message : String(error), failed: {}, serving: listeners.size };
    }
  }

  #serve(proxies: readonly WantedProxy[]): Record<string, string> {
    const failed: Record<string, string> = {};
    for (const proxy of proxies) {
      try {
        this.#parts.listeners.serve(proxy);
      } catch (error) {
        failed[proxy.networkId] = error instanceof Error ? error.message : String(error);
      }
    }
    return failed;
  }

  #own(): void {
    const { control } = this.#parts.settings;
    if (this.#inode !== undefined) return;
    renameSync(this.#path, control);
    this.#path = control;
    this.#inode = inodeOf(control);
    writeFileSync(pidFile(control), `${process.pid}\n`);
  }

  #removeFiles(): void {
    // Another process may own the path by now.
    if (this.#inode !== undefined && inodeOf(this.#path) !== this.#inode) return;
    rmSync(this.#path, { force: true });
    if (this.#inode !== undefined) rmSync(pidFile(this.#path), { force: true });
  }

  /** Stops being controlled, and ends the process. */
  leave(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.#removeFiles();
    this.#server.close();
    for (const socket of this.#sockets) socket.end();
    this.#parts.onLeave();
  }
}

const inodeOf = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.ino;
