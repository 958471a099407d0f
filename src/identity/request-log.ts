import type { FastifyRequest } from 'fastify';

/** Records what a request does, for the log of changes. */
export interface RequestLog {
  /** Records what the request is about to do, or has done. */
  note(
    request: FastifyRequest,
    change: {
      readonly action: string;
      readonly resource: string;
      readonly ids?: readonly string[];
      readonly names?: readonly string[];
      readonly parameters?: Readonly<Record<string, string>>;
    },
  ): void;
  /** Records the author of the request. */
  by(request: FastifyRequest, author: { readonly userId: string; readonly projectId: string }): void;
  /** Records the error that the request is answered with. */
  failed(request: FastifyRequest, error: string): void;
}
