import { NeutronError } from '../resources/errors.ts';

export interface ErrorAnswer {
  readonly status: number;
  readonly body: unknown;
}

const answer = (status: number, type: string, message: string): ErrorAnswer => ({
  status,
  body: { NeutronError: { type, message, detail: '' } },
});

/** What a client is told of an error; undefined for errors that are ours (logged, and answered with 500). */
export function errorAnswer(error: unknown): ErrorAnswer | undefined {
  if (error instanceof NeutronError) return answer(error.status, error.type, error.message);
  const { statusCode, code, message } = (error ?? {}) as { statusCode?: unknown; code?: unknown; message?: unknown };
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return answer(413, 'HTTPRequestEntityTooLarge', 'The body of the request is too large; split it.');
  // What the HTTP layer itself refuses (bad headers, a bad length) is the client's doing.
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500)
    return answer(statusCode, 'HTTPBadRequest', String(message));
  return undefined;
}
