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

/** Turns a line of the log from JSON into text: clock, level, message, facts as `name=value`; the stack of an error below. */
export function textLine(json: string, { colour }: TextOptions): string {
  const { level, time, msg, err, ...facts } = JSON.parse(json) as Record<string, unknown>;
  const paint = (parameters: string, text: string) => (colour ? `\x1b[${parameters}m${text}\x1b[0m` : text);
  const [name, parameters] = LEVELS[String(level)] ?? [String(level), '0'];
  const { message, stack } = (err ?? {}) as LoggedError;
  const said = printable(String(msg ?? ''));
  // Pino takes the message of an error that is logged without one.
  const reason = message && message !== msg ? `: ${printable(message)}` : '';
  const words = [
    paint('2', new Date(String(time)).toTimeString().slice(0, 8)),
    paint(parameters, name),
    `${said}${reason}`,
    ...Object.entries(facts).map(([key, value]) => paint('2', `${key}=`) + shown(value)),
  ];
  return `${[words.join(' '), ...(stack ? stack.split('\n').map(printable) : [])].join('\n')}\n`;
}

/** Text without control characters, because what others have named must not steer a terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced
const printable = (text: string): string => text.replaceAll(/[\x00-\x1f\x7f-\x9f]/g, '?');

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return typeof value === 'string' && /[\s"=]|^$/.test(text) ? printable(JSON.stringify(text)) : printable(text);
}
