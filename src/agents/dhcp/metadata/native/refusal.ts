import { type ServerResponse, STATUS_CODES } from 'node:http';

/** The texts of haproxy, which machines may know. */
const TEXTS: Readonly<Record<number, string>> = {
  400: 'Your browser sent an invalid request.',
  429: 'You have sent too many requests in a given amount of time.',
  502: 'The server returned an invalid or incomplete response.',
  503: 'No server is available to handle this request.',
  504: "The server didn't respond in time.",
};

/** Answers a request with an error of the proxy's own, as haproxy does. Breaks the connection if the answer has begun. */
export function refuse(res: ServerResponse, status: keyof typeof TEXTS): void {
  if (res.headersSent) {
    res.destroy();
    return;
  }
  const text = `<html><body><h1>${status} ${STATUS_CODES[status]}</h1>\n${TEXTS[status]}\n</body></html>\n`;
  res.writeHead(status, {
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-cache',
    'content-type': 'text/html',
    // What is left of the request need not be read.
    ...(res.req.complete ? {} : { connection: 'close' }),
  });
  res.end(res.req.method === 'HEAD' ? '' : text);
}
