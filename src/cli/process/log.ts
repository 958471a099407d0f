import { type DestinationStream, type Logger, pino, type SerializedError } from 'pino';
import type { Config } from '../../config/options.ts';
import { writeBatched } from './batched-stderr.ts';
import { type TextOptions, textLine } from './log-text.ts';

export interface LogOptions {
  /** Logs at level debug, and stacks with errors. */
  readonly debug: boolean;
  /** Writes lines of text instead of JSON. */
  readonly text?: TextOptions | undefined;
  readonly write: (line: string) => void;
}

let latest = { ms: 0, field: '' };

/** Returns the time as pino adds it to a line. Formatted once a millisecond, because a busy server logs many lines in one. */
function isoTime(): string {
  const ms = Date.now();
  if (ms !== latest.ms) latest = { ms, field: `,"time":"${new Date(ms).toISOString()}"` };
  return latest.field;
}

/** Creates the logger of the process. Levels are names (`info`); errors have their stacks only at level debug. */
export function createLogger({ debug, text, write }: LogOptions): Logger {
  const destination: DestinationStream = { write: text ? (line) => write(textLine(line, text)) : write };
  return pino(
    {
      level: debug ? 'debug' : 'info',
      base: null,
      timestamp: isoTime,
      formatters: { level: (level) => ({ level }) },
      ...(debug ? {} : { serializers: { err: withoutStack } }),
    },
    destination,
  );
}

/** Creates the logger on standard error: text on a terminal and JSON elsewhere, unless `log_format` selects one. */
export function stderrLogger({ debug, log_format }: Pick<Config['DEFAULT'], 'debug' | 'log_format'>): Logger {
  const isTerminal = process.stderr.isTTY === true;
  const isText = log_format === 'text' || (log_format === 'auto' && isTerminal);
  // https://no-color.org
  const colour = isTerminal && !process.env.NO_COLOR;
  return createLogger({ debug, text: isText ? { colour } : undefined, write: writeBatched });
}

function withoutStack(error: unknown): Partial<SerializedError> {
  if (!(error instanceof Error)) return { message: String(error) };
  const { code } = error as { readonly code?: unknown };
  const reason = error.message || (error instanceof AggregateError ? String(error.errors[0]) : '');
  return { type: error.name, message: reason, ...(code === undefined ? {} : { code }) };
}
