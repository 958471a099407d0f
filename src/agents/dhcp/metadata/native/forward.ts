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

/** Passes requests of machines to the metadata agent, in the name of their network, and streams its answers. */
export class Forwarder {
  readonly #parts: Parts;
  #isAway = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Answers one request. Never throws. */
  async serve(req: IncomingMessage, res: ServerResponse, origin: Origin): Promise<void> {
    const { proxy, version, peer } = origin;
    const { limit, limitedVersions } = this.#parts;
    if (limitedVersions.includes(version) && limit?.allows(`${proxy.networkId} ${peer}`) === false) {
      refuse(res, 429);
      return;
    }
    const gone = new AbortController();
    res.once('close', () => gone.abort());
    const socket = await this.#connect(gone.signal);
    if (gone.signal.aborted) socket?.destroy();
    else if (socket) await passOn(req, res, origin, socket);
    else refuse(res, 503);
  }

  async #connect(signal: AbortSignal): Promise<Socket | undefined> {
    const { upstream, report } = this.#parts;
    try {
      const socket = await connectUpstream(upstream, signal);
      if (this.#isAway) report({ level: 'info', text: 'the metadata agent answers again' });
      this.#isAway = false;
      return socket;
    } catch (error) {
      if (signal.aborted) return undefined;
      const reason = error instanceof Error ? error.message : String(error);
      if (!this.#isAway)
        report({
          level: 'warn',
          text: `the metadata agent cannot be reached, machines get no metadata (503): ${reason}`,
        });
      this.#isAway = true;
      return undefined;
    }
  }
}

async function passOn(req: IncomingMessage, res: ServerResponse, origin: Origin, socket: Socket): Promise<void> {
  const chunked = req.headers['transfer-encoding'] !== undefined;
  const { promise: answered, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  let isLate = false;
  res.once('close', () => socket.destroy());
  socket.setTimeout(ANSWER_MS, () => {
    isLate = true;
    socket.destroy(new Error('the metadata agent is silent'));
  });
  try {
    const sent = request({
      createConnection: () => socket,
      method: req.method,
      path: req.url,
      headers: requestHeaders(req.rawHeaders, origin.proxy, { peer: origin.peer, chunked }),
    });
    sent.on('response', resolve).on('error', reject);
    if (chunked || req.headers['content-length'] !== undefined) {
      // The answer may come, and the connection end, before the whole body has been sent.
      pipeline(req, sent).catch(() => undefined);
    } else sent.end();
    const answer = await answered;
    res.writeHead(answer.statusCode ?? 502, answer.statusMessage, answerHeaders(answer.rawHeaders));
    await pipeline(answer, res);
  } catch {
    socket.destroy();
    refuse(res, isLate ? 504 : 502);
  }
}
