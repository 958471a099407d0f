import { NoSuchMethod, RemoteError, UnsupportedVersion } from '../errors.ts';

/** The module of UnsupportedVersion and NoSuchMethod in oslo.messaging. */
const DISPATCHER = 'oslo_messaging.rpc.dispatcher';
/** The only module of Neutron's exceptions that its agents let a server raise in them. */
const NEUTRON = 'neutron_lib.exceptions';

/**
 * Returns what a handler threw as the JSON text of an answer's `failure`. A stock caller raises the class itself when it
 * knows the module (`module(*args, **kwargs)`), otherwise a RemoteError with class and message:
 *
 * - UnsupportedVersion, NoSuchMethod: oslo.messaging's own;
 * - errors of the API (`type` and `status`, see src/resources/errors.ts): Neutron's class of that name. Its constructors take no
 *   positional arguments, so `args` is empty: otherwise the stock caller could not construct it;
 * - TypeError, which a wrong keyword causes: Python's;
 * - everything else: under its own name.
 */
export function encodeFailure(error: unknown): string {
  const { name, module, message, args } = describe(error);
  return JSON.stringify({ class: name, module, message, tb: [], args, kwargs: {} });
}

interface Description {
  readonly name: string;
  readonly module: string;
  readonly message: string;
  readonly args: readonly string[];
}

function describe(error: unknown): Description {
  if (!(error instanceof Error)) {
    return { name: typeof error, module: 'neutrino', message: String(error), args: [String(error)] };
  }
  const { message } = error;
  const args = [message];
  if (error instanceof UnsupportedVersion) return { name: 'UnsupportedVersion', module: DISPATCHER, message, args };
  if (error instanceof NoSuchMethod) return { name: 'NoSuchMethod', module: DISPATCHER, message, args };
  const name = error.name === 'Error' ? error.constructor.name : error.name;
  if (isExpected(error)) return { name, module: NEUTRON, message, args: [] };
  return { name, module: name === 'TypeError' ? 'builtins' : 'neutrino', message, args };
}

/**
 * Whether a failure is part of normal operation (an unknown network, a version that is not served) and needs no line in the
 * server's log.
 */
export function isExpected(error: unknown): boolean {
  if (error instanceof UnsupportedVersion || error instanceof NoSuchMethod) return true;
  if (!(error instanceof Error)) return false;
  const { type, status } = error as { type?: unknown; status?: unknown };
  return type === error.name && typeof status === 'number';
}

/** Returns the error that a caller gets for an answer's `failure`. `method` and `version` are those of the call. */
export function decodeFailure(topic: string, method: string, version: string, failure: string): Error {
  const { class: name, module, message } = parse(failure);
  if (module === DISPATCHER && name === 'UnsupportedVersion') {
    const [, asked, attempted] = /RPC version (\S*)\. Attempted method: (.*)/s.exec(message) ?? [];
    return new UnsupportedVersion(attempted ?? method, asked ?? version);
  }
  if (module === DISPATCHER && name === 'NoSuchMethod') {
    return new NoSuchMethod(/does not support RPC method (.*)/s.exec(message)?.[1] ?? method);
  }
  return new RemoteError(topic, method, name, message);
}

function parse(failure: string): { class: string; module: string; message: string } {
  try {
    const { class: name, module, message } = JSON.parse(failure) as Record<string, unknown>;
    return { class: String(name ?? 'Exception'), module: String(module ?? ''), message: String(message ?? '') };
  } catch {
    return { class: 'Exception', module: '', message: failure.slice(0, 500) };
  }
}
