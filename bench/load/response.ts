/** A response parsed from the bytes received on a connection. */
export interface CutResponse {
  readonly status: number;
  readonly body: Buffer;
  /** Length of the response in bytes; the rest belongs to the next one. */
  readonly length: number;
}

const END_OF_HEAD = Buffer.from('\r\n\r\n');

/**
 * Parses the first response in the bytes; returns undefined while it is incomplete. Supports only what a load generator needs:
 * bodies with a Content-Length, or none (204). Throws for anything else, because figures based on misread responses would be
 * worse than none.
 */
export function cutResponse(bytes: Buffer): CutResponse | undefined {
  const headEnd = bytes.indexOf(END_OF_HEAD);
  if (headEnd < 0) return undefined;
  const head = bytes.toString('latin1', 0, headEnd);
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]);
  if (!Number.isInteger(status)) throw new Error(`no HTTP/1.1 response: ${head.slice(0, 100)}`);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length === undefined && status !== 204)
    throw new Error(`a response without Content-Length: ${head.slice(0, 300)}`);
  const bodyStart = headEnd + END_OF_HEAD.length;
  const end = bodyStart + Number(length ?? 0);
  return bytes.length < end ? undefined : { status, body: bytes.subarray(bodyStart, end), length: end };
}

/** Returns the bytes of a request on a keep-alive connection. */
export function requestBytes(method: string, host: string, path: string, body?: string, token?: string): Buffer {
  const head = [`${method} ${path} HTTP/1.1`, `Host: ${host}`, 'Accept: application/json', 'Connection: keep-alive'];
  if (token !== undefined) head.push(`X-Auth-Token: ${token}`);
  if (body !== undefined) head.push('Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`);
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body ?? ''}`);
}
