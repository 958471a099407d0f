export interface TextOptions {
  readonly colour: boolean;
}

/** Names of levels as wide as the widest, and their colours: SGR parameters (ECMA-48, 8.3.117). */
const LEVELS: Readonly<Record<string, readonly [string, string]>> = {
  trace: ['trace', '2'],
  debug: ['debug', '2'],
  info: ['info ', '32'],
  warn: ['WARN ', '33'],
  error: ['ERROR', '31'],
  fatal: ['FATAL', '1;31'],
};

interface LoggedError {
  readonly message?: string;
  readonly stack?: string;
}

/** Converts a JSON log line into text: time, level, message, facts as `name=value`; the stack of an error below. */
export function textLine(json: string, { colour }: TextOptions): string {
  const { level, time, msg, err, ...facts } = JSON.parse(json) as Record<string, unknown>;
  const paint = (parameters: string, text: string) => (colour ? `\x1b[${parameters}m${text}\x1b[0m` : text);
  const [name, parameters] = LEVELS[String(level)] ?? [String(level), '0'];
  const { message, stack } = (err ?? {}) as LoggedError;
  const said = printable(String(msg ?? ''));
  // Pino uses the message of the error if none is logged with it.
  const reason = message && message !== msg ? `: ${printable(message)}` : '';
  const words = [
    paint('2', new Date(String(time)).toTimeString().slice(0, 8)),
    paint(parameters, name),
    `${said}${reason}`,
    ...Object.entries(facts).map(([key, value]) => paint('2', `${key}=`) + shown(value)),
  ];
  return `${[words.join(' '), ...(stack ? stack.split('\n').map(printable) : [])].join('\n')}\n`;
}

/** Returns text without control characters, because names chosen by others must not control a terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are replaced
const printable = (text: string): string => text.replaceAll(/[\x00-\x1f\x7f-\x9f]/g, '?');

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return typeof value === 'string' && /[\s"=]|^$/.test(text) ? printable(JSON.stringify(text)) : printable(text);
}
