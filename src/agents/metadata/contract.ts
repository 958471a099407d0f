import type { Readable } from 'node:stream';
import type { Instance } from './port-lookup.ts';
import type { PassedRequest } from './request.ts';

/** A request of a machine that was found by its address. */
export interface MachineRequest extends PassedRequest {
  readonly instance: Instance;
  /** Address of the machine. */
  readonly address: string;
  /** Ends the request, because the machine is gone. */
  readonly signal: AbortSignal;
}

export interface MetadataAnswer {
  readonly status: number;
  /** `content-type` and, if known, `content-length`. */
  readonly headers: Readonly<Record<string, string | number>>;
  /** The caller MUST consume a stream. */
  readonly body: Buffer | Readable;
}

/** Answers requests for metadata, with documents in Nova's formats. */
export interface MetadataProvider {
  /**
   * Answers a request of a machine, in bounded time. MUST only tell what belongs to its instance id and project. Throws Refused with the
   * status that the machine gets; 404 if it does not know the instance or the path.
   */
  answer(request: MachineRequest): Promise<MetadataAnswer>;
  /** Ends all requests. */
  close(): Promise<void>;
}
