import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';

/** What machines may do; the list keeps CONNECT, TRACE and WebDAV from Nova. */
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']);
/** The longest thing that machines send is an encrypted password. */
const MAX_BODY = 64 * 1024;
const PATH = /^\/[\x21-\x7e]*$/;

/** A request that is answered with a status of the agent's own. */
export class Refused extends Error {
  readonly status: number;

  constructor(status: number, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'Refused';
    this.status = status;
  }
}

/** A machine's request, as far as it is passed on. */
export interface PassedRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly body: Buffer | null;
}

/** Reads a request. Throws Refused if it cannot be passed on. */
export async function readRequest(req: IncomingMessage): Promise<PassedRequest> {
  const { method = '', url = '' } = req;
  if (!METHODS.has(method)) throw new Refused(405, `method ${method}`);
  // The absolute form of a target is valid too (RFC 9112, 3.2.2).
  const path = url.replace(/^https?:\/\/[^/?]*/i, '').replace(/^(?=\?|$)/, '/');
  if (!PATH.test(path)) throw new Refused(400, 'the target is not a path');
  return { method, path, body: await bodyOf(req) };
}

async function bodyOf(req: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) throw new Refused(413, `a body of more than ${MAX_BODY} bytes`);
    chunks.push(chunk);
  }
  return size === 0 ? null : Buffer.concat(chunks);
}

/** Answers with a status and its name; ends the connection if the request was not read to its end. */
export function refuse(req: IncomingMessage, res: ServerResponse, status: number): void {
  if (res.headersSent) {
    res.destroy();
    return;
  }
  const text = `${status} ${STATUS_CODES[status]}\n`;
  const headers = { 'content-type': 'text/plain; charset=UTF-8', 'content-length': text.length };
  res.writeHead(status, req.complete ? headers : { ...headers, connection: 'close' });
  res.end(req.method === 'HEAD' ? '' : text);
}
