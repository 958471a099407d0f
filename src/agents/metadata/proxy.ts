import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Logger } from 'pino';
import { type Asker, askerOf } from './asker.ts';
import { type NovaAnswer, NovaAway, type NovaMetadata } from './nova.ts';
import { Outages } from './outages.ts';
import type { Instance, PortLookup } from './port-lookup.ts';
import { type PassedRequest, Refused, readRequest, refuse } from './request.ts';

/** Requests at a time; each holds a connection and little else. */
const MAX_RUNNING = 1_024;
/** If Nova does not know an instance, the server is asked again unless it answered this recently. */
const RECHECK_MS = 1_000;
/** Nova's errors that a machine gets unchanged; all others become 500, as in Neutron. */
const PASSED: ReadonlySet<number> = new Set([400, 403, 404, 409, 502, 503, 504]);
/** The body of an error, which is not passed on; a longer one costs the connection. */
const MAX_DROPPED = 64 * 1024;

interface ProxyParts {
  readonly lookup: Pick<PortLookup, 'find'>;
  readonly nova: Pick<NovaMetadata, 'ask'>;
  readonly log: Logger;
}

/** Answers the machines' requests that the proxies in the namespaces pass on: finds the machine, and asks Nova on its behalf. */
export class MetadataProxy {
  readonly #parts: ProxyParts;
  readonly #outages: Outages;
  #running = 0;

  constructor(parts: ProxyParts) {
    this.#parts = parts;
    this.#outages = new Outages(parts.log);
  }

  /** Answers one request. Never throws. */
  async serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { log } = this.#parts;
    const gone = new AbortController();
    res.once('close', () => gone.abort());
    this.#running += 1;
    try {
      if (this.#running > MAX_RUNNING) throw new Refused(503, `more than ${MAX_RUNNING} requests at a time`);
      await this.#answer(req, res, gone.signal);
    } catch (error) {
      const known = error instanceof Refused;
      if (gone.signal.aborted) log.debug({ url: req.url }, 'a machine did not wait for its metadata');
      else if (known) log.debug({ url: req.url, status: error.status }, `metadata refused: ${error.message}`);
      else log.error({ err: error, url: req.url }, 'answering a request for metadata failed');
      refuse(req, res, known ? error.status : 500);
    } finally {
      this.#running -= 1;
    }
  }

  async #answer(req: IncomingMessage, res: ServerResponse, signal: AbortSignal): Promise<void> {
    const { log } = this.#parts;
    const asker = askerOf(req.headersDistinct);
    if (!asker) throw new Refused(404, 'its headers do not name one network or router, and an address');
    const request = await readRequest(req);
    const { answer, instance } = await this.#ask(asker, request, signal);
    const { statusCode: status, headers, body } = answer;
    if (status < 200 || status >= 300) {
      await dropBody(answer);
      throw new Refused(PASSED.has(status) ? status : 500, `Nova answers ${status} for instance ${instance.id}`);
    }
    for (const name of ['content-type', 'content-length']) {
      const value = headers[name];
      if (value !== undefined) res.setHeader(name, value);
    }
    res.writeHead(status);
    try {
      await pipeline(body, res);
    } catch (error) {
      // The head is sent: only a broken connection tells the machine that something is missing.
      res.destroy();
      if (!signal.aborted) log.warn({ err: error, instance: instance.id, url: req.url }, "Nova's answer broke off");
      return;
    }
    log.debug({ instance: instance.id, address: asker.address, url: req.url, status }, 'metadata sent');
  }

  /** Asks Nova for the machine of an address; once more if Nova does not know it, and another one has the address by now. */
  async #ask(
    asker: Asker,
    request: PassedRequest,
    signal: AbortSignal,
  ): Promise<{ readonly answer: NovaAnswer; readonly instance: Instance }> {
    const instance = await this.#find(asker);
    if (!instance) throw new Refused(404, `no port, or more than one, has the address ${asker.address}`);
    const ask = (of: Instance) => this.#askNova({ ...request, instance: of, address: asker.address, signal });
    const answer = await ask(instance);
    if (answer.statusCode !== 404) return { answer, instance };
    const now = await this.#find(asker, RECHECK_MS).catch(() => undefined);
    if (!now || (now.id === instance.id && now.project === instance.project)) return { answer, instance };
    await dropBody(answer);
    return { answer: await ask(now), instance: now };
  }

  async #find(asker: Asker, maxAgeMs?: number): Promise<Instance | undefined> {
    try {
      const found = await this.#parts.lookup.find(asker, maxAgeMs);
      this.#outages.end('server', 'the server can be asked for ports again');
      return found;
    } catch (error) {
      const failure = new Error('the server cannot be asked for ports: machines get no metadata', { cause: error });
      this.#outages.begin('server', failure);
      throw new Refused(503, failure.message, error);
    }
  }

  async #askNova(request: Parameters<NovaMetadata['ask']>[0]): Promise<NovaAnswer> {
    try {
      const answer = await this.#parts.nova.ask(request);
      this.#outages.end('nova', "Nova's metadata API answers again");
      const secret =
        'Nova refuses the signature: metadata_proxy_shared_secret must equal that in [neutron] of nova.conf';
      if (answer.statusCode === 403) this.#outages.begin('secret', new Error(secret));
      else this.#outages.end('secret', 'Nova accepts the signature again');
      return answer;
    } catch (error) {
      if (!(error instanceof NovaAway) || request.signal.aborted) throw error;
      this.#outages.begin('nova', error);
      throw new Refused(error.status, error.message, error);
    }
  }
}

const dropBody = ({ body }: NovaAnswer): Promise<void> => body.dump({ limit: MAX_DROPPED }).catch(() => undefined);
