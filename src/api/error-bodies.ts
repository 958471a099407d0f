import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Unauthorized } from '../auth/unauthorized.ts';
import { DatabaseUnavailable, UNREACHABLE_TEXT } from '../db/errors.ts';
import { isUnreachable } from '../db/mysql/errors.ts';
import { NeutronError, neutronError } from '../resources/errors.ts';

export interface ErrorAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const answer = (status: number, type: string, message: string, detail = ''): ErrorAnswer => ({
  status,
  body: { NeutronError: { type, message, detail } },
});

/** Returns the error that the client receives; undefined for internal errors (logged, and answered with 500). */
export function errorAnswer(error: unknown): ErrorAnswer | undefined {
  if (error instanceof Unauthorized) {
    const { status, message, challenge } = error;
    const body = { error: { code: status, title: 'Unauthorized', message } };
    return { status, body, headers: { 'www-authenticate': challenge } };
  }
  if (error instanceof NeutronError) return answer(error.status, error.type, error.message, error.detail);
  if (error instanceof DatabaseUnavailable)
    return errorAnswer(neutronError('ServiceUnavailable', { reason: error.message }));
  // From a query outside of transactions, which throw DatabaseUnavailable themselves.
  if (isUnreachable(error)) return errorAnswer(neutronError('ServiceUnavailable', { reason: UNREACHABLE_TEXT }));
  const { statusCode, code, message } = (error ?? {}) as { statusCode?: unknown; code?: unknown; message?: unknown };
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return errorAnswer(neutronError('HTTPRequestEntityTooLarge'));
  // Requests that the HTTP layer itself rejects (invalid headers or length) are errors of the client.
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500)
    return answer(statusCode, 'HTTPBadRequest', String(message));
  return undefined;
}

/** Responds to a failed request; internal errors are answered with 5xx and logged. */
export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  let told = errorAnswer(error);
  if (!told) {
    request.log.error(
      { request_id: request.id, err: error, method: request.method, url: request.url },
      'request failed with an internal error',
    );
    const { status, type, message } = neutronError('HTTPInternalServerError', { id: request.id });
    told = answer(status, type, message);
  } else if (told.status >= 500) {
    const { message, cause } = error as Error;
    request.log.warn(
      { request_id: request.id, err: cause ?? error, method: request.method, url: request.url },
      `request failed: ${message}`,
    );
  }
  reply
    .code(told.status)
    .headers(told.headers ?? {})
    .send(told.body);
}

const BROKEN: Readonly<Record<string, readonly [number, string, string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large', 'The URL and the headers are together too long.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout', 'The request did not arrive in time.'],
};

/** Responds to malformed HTTP, so that the client learns the reason instead of only losing its connection. */
export function answerBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const known = error.code !== undefined && Object.hasOwn(BROKEN, error.code) ? BROKEN[error.code] : undefined;
  const [status, reason, message] = known ?? [400, 'Bad Request', 'This is not an HTTP request.'];
  const body = JSON.stringify(answer(status, 'HTTPBadRequest', message).body);
  socket.end(
    `HTTP/1.1 ${status} ${reason}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
