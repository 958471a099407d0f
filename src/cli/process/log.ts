import { type DestinationStream, type Logger, pino } from 'pino';
import { writeBatched } from './batched-stderr.ts';

export interface LogOptions {
  readonly debug: boolean;
  /** Lines for eyes (`23:01:02 info ...`) instead of JSON; taken when standard error is a terminal. */
  readonly plain: boolean;
  readonly write: (line: string) => void;
}

/** The logger that everything else is handed; JSON lines, or plain ones where a person reads along. */
export function createLogger({ debug, plain, write }: LogOptions): Logger {
  const destination: DestinationStream = { write: plain ? (line) => write(plainLine(line)) : write };
  const level = debug ? 'debug' : 'info';
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
}

/** The logger on standard error. */
export function stderrLogger(debug: boolean): Logger {
  return createLogger({ debug, plain: process.stderr.isTTY === true, write: writeBatched });
}

const LEVELS: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'WARN',
  50: 'ERROR',
  60: 'FATAL',
};

function plainLine(json: string): string {
  const { level, time, msg, err, ...rest } = JSON.parse(json) as Record<string, unknown>;
  const facts = Object.entries(rest).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const clock = new Date(String(time)).toTimeString().slice(0, 8);
  const stack =
    err && typeof err === 'object' ? [String((err as { stack?: unknown; message?: unknown }).stack ?? '')] : [];
  const words = [clock, (LEVELS[Number(level)] ?? String(level)).padEnd(5), String(msg ?? ''), ...facts];
  return `${[words.join(' ').trimEnd(), ...stack].join('\n')}\n`;
}
