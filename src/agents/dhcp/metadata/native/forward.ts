import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import type { WantedProxy } from '../contract.ts';
import { answerHeaders, requestHeaders } from './headers.ts';
import type { Report } from './messages.ts';
import type { RateLimit } from './rate-limit.ts';
import { refuse } from './refusal.ts';
import { connectUpstream } from './upstream.ts';

/** As `timeout server` of Neutron's haproxy: how long the metadata agent may be silent. */
const ANSWER_MS = 32_000;

interface Parts {
  /** The metadata agent's socket. */
  readonly upstream: string;
  readonly limit: RateLimit | undefined;
  readonly limitedVersions: readonly (4 | 6)[];
  readonly report: (report: Report) => void;
}

/** Where a request came in, and from whom. */
interface Origin {
  readonly proxy: WantedProxy;
  readonly version: 4 | 6;
  readonly peer: string;
}

/** Why machines get no metadata, with the status that they get instead. */
const TROUBLES = {
  502: 'the metadata agent breaks off its answers',
  503: 'the metadata agent cannot be reached',
  504: 'the metadata agent does not answer',
} as const;

/** Passes requests of machines to the metadata agent, in the name of their network, and streams its answers. */
export class Forwarder {
  readonly #parts: Parts;
  /** What has been reported, until there is an answer again. */
  #trouble: keyof typeof TROUBLES | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Answers one request. Never throws. */
  async serve(req: IncomingMessage, res: ServerResponse, origin: Origin): Promise<void> {
    const { proxy, version, peer } = origin;
    const { limit, limitedVersions, upstream } = this.#parts;
    if (limitedVersions.includes(version) && limit?.allows(`${proxy.networkId} ${peer}`) === false) {
      refuse(res, 429);
      return;
    }
    const gone = new AbortController();
    res.once('close', () => gone.abort());
    let status: keyof typeof TROUBLES = 503;
    try {
      const socket = await connectUpstream(upstream, gone.signal);
      status = 502;
      socket.setTimeout(ANSWER_MS, () => {
        status = 504;
        socket.destroy(new Error(`silent for ${ANSWER_MS} ms`));
      });
      await this.#passOn(req, res, origin, socket);
    } catch (error) {
      if (gone.signal.aborted) return;
      this.#report(status, error);
      refuse(res, status);
    }
  }

  async #passOn(req: IncomingMessage, res: ServerResponse, { proxy, peer }: Origin, socket: Socket): Promise<void> {
    const chunked = req.headers['transfer-encoding'] !== undefined;
    const { promise: answered, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    try {
      const sent = request({
        createConnection: () => socket,
        method: req.method,
        path: req.url,
        headers: requestHeaders(req.rawHeaders, proxy, { peer, chunked }),
      });
      sent.on('response', resolve).on('error', reject);
      res.once('close', () => socket.destroy());
      if (chunked || req.headers['content-length'] !== undefined) req.pipe(sent);
      else sent.end();
      const answer = await answered;
      res.writeHead(answer.statusCode ?? 502, answer.statusMessage, answerHeaders(answer.rawHeaders));
      await pipeline(answer, res);
      this.#report(undefined);
    } finally {
      socket.destroy();
    }
  }

  /** Reports the begin and the end of each trouble once, however many requests fail meanwhile. */
  #report(trouble: keyof typeof TROUBLES | undefined, error?: unknown): void {
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    const reason = error instanceof Error ? error.message : String(error);
    this.#parts.report(
      trouble === undefined
        ? { level: 'info', text: 'the metadata agent answers again' }
        : { level: 'warn', text: `${TROUBLES[trouble]}, machines get no metadata (${trouble}): ${reason}` },
    );
  }
}
