import { createRequire } from 'node:module';
import { getSystemErrorName } from 'node:util';

/** The part of koffi that is used; it is optional, so that its own types may be absent too. */
interface Koffi {
  load(path: string | null): { func(prototype: string): (...args: readonly unknown[]) => unknown };
  errno(): number;
}

/** Calls of libc that Node does not offer. Each throws SystemCallFailed if it returns -1. */
export interface Libc {
  setns(fd: number, type: number): number;
  socket(domain: number, type: number, protocol: number): number;
  setsockopt(fd: number, level: number, name: number, value: Uint8Array, length: number): number;
  bind(fd: number, address: Uint8Array, length: number): number;
  listen(fd: number, backlog: number): number;
  recv(fd: number, buffer: Uint8Array, length: number, flags: number): number;
  sendto(
    fd: number,
    buffer: Uint8Array,
    length: number,
    flags: number,
    address: Uint8Array,
    addressLength: number,
  ): number;
  getpeername(fd: number, address: Uint8Array, length: Uint8Array): number;
  /** Returns 0 if there is no such device. */
  if_nametoindex(name: string): number;
}

const PROTOTYPES: Readonly<Record<keyof Libc, string>> = {
  setns: 'int setns(int fd, int type)',
  socket: 'int socket(int domain, int type, int protocol)',
  setsockopt: 'int setsockopt(int fd, int level, int name, const void *value, unsigned int length)',
  bind: 'int bind(int fd, const void *address, unsigned int length)',
  listen: 'int listen(int fd, int backlog)',
  recv: 'long recv(int fd, void *buffer, size_t length, int flags)',
  sendto:
    'long sendto(int fd, const void *buffer, size_t length, int flags, const void *address, unsigned int address_length)',
  getpeername: 'int getpeername(int fd, void *address, void *length)',
  if_nametoindex: 'int if_nametoindex(const char *name)',
};

/** A call of libc that failed; `code` is the name of its error, such as `EADDRINUSE`. */
class SystemCallFailed extends Error {
  readonly code: string;

  constructor(call: string, errno: number) {
    const code = getSystemErrorName(-errno);
    super(`${call}: ${code}`);
    this.name = 'SystemCallFailed';
    this.code = code;
  }
}

let loaded: Libc | Error | undefined;

/** Returns the calls of libc. Throws if they cannot be loaded, because koffi is not installed or has no binary for this machine. */
export function libc(): Libc {
  loaded ??= load();
  if (loaded instanceof Error) throw loaded;
  return loaded;
}

/** Returns why libc cannot be called on this machine, as a sentence without the full stop; undefined if it can. */
export function nativeObstacle(): string | undefined {
  loaded ??= load();
  return loaded instanceof Error ? loaded.message : undefined;
}

function load(): Libc | Error {
  if (process.platform !== 'linux') return new Error(`native calls need Linux, this is ${process.platform}`);
  try {
    const koffi = loadKoffi();
    const library = koffi.load(null);
    const call = (name: keyof Libc) => {
      const run = library.func(PROTOTYPES[name]);
      return (...args: readonly unknown[]): number => {
        const result = Number(run(...args));
        if (result === -1) throw new SystemCallFailed(name, koffi.errno());
        return result;
      };
    };
    return {
      setns: call('setns'),
      socket: call('socket'),
      setsockopt: call('setsockopt'),
      bind: call('bind'),
      listen: call('listen'),
      recv: call('recv'),
      sendto: call('sendto'),
      getpeername: call('getpeername'),
      if_nametoindex: call('if_nametoindex'),
    };
  } catch (error) {
    const [reason = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    return new Error(`the package koffi cannot be loaded (${reason})`);
  }
}

const loadKoffi = (): Koffi => createRequire(import.meta.url)('koffi');

/** The library of Debian's package libnftables1, which nft itself uses. */
const NFTABLES = 'libnftables.so.1';
/** `NFT_CTX_OUTPUT_STATELESS`: without counters (libnftables(3)). */
const STATELESS = 4;

/**
 * Loads libnftables for the network namespace of this thread. Returns a function that runs a script, blocking, and returns what it
 * prints, or why it failed. Throws if the library cannot be loaded.
 */
export function libnftables(): (script: string) => { readonly output: string; readonly failure?: string } {
  const library = loadKoffi().load(NFTABLES);
  const context = library.func('void *nft_ctx_new(uint32_t flags)')(0);
  library.func('int nft_ctx_buffer_output(void *ctx)')(context);
  library.func('int nft_ctx_buffer_error(void *ctx)')(context);
  library.func('void nft_ctx_output_set_flags(void *ctx, unsigned int flags)')(context, STATELESS);
  const runScript = library.func('int nft_run_cmd_from_buffer(void *ctx, const char *buf)');
  const output = library.func('const char *nft_ctx_get_output_buffer(void *ctx)');
  const reason = library.func('const char *nft_ctx_get_error_buffer(void *ctx)');
  return (script) => {
    const failed = runScript(context, script) !== 0;
    const printed = String(output(context) ?? '');
    return failed ? { output: printed, failure: String(reason(context) ?? '') } : { output: printed };
  };
}
