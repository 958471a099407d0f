import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Logger } from 'pino';
import { type Asker, askerOf } from './asker.ts';
import type { MetadataAnswer, MetadataProvider } from './contract.ts';
import { Outages } from './outages.ts';
import type { Instance, PortLookup } from './port-lookup.ts';
import { type PassedRequest, Refused, readRequest, refuse } from './request.ts';

/** Requests at a time; each holds a connection and little else. */
const MAX_RUNNING = 1_024;
/** If the provider does not know an instance, the server is asked again unless it answered this recently. */
const RECHECK_MS = 1_000;

interface ProxyParts {
  readonly lookup: Pick<PortLookup, 'find'>;
  readonly provider: Pick<MetadataProvider, 'answer'>;
  readonly log: Logger;
}

/** Answers the machines' requests that the proxies in the namespaces pass on: finds the machine, and has the provider answer. */
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
    const { status, headers, body } = answer;
    res.writeHead(status, headers);
    if (Buffer.isBuffer(body)) res.end(body);
    else
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

  /** Asks for the machine of an address; once more if the provider does not know it, and another one has the address by now. */
  async #ask(
    asker: Asker,
    request: PassedRequest,
    signal: AbortSignal,
  ): Promise<{ readonly answer: MetadataAnswer; readonly instance: Instance }> {
    const { provider } = this.#parts;
    const instance = await this.#find(asker);
    if (!instance) throw new Refused(404, `no port, or more than one, has the address ${asker.address}`);
    const ask = (of: Instance) => provider.answer({ ...request, instance: of, address: asker.address, signal });
    try {
      return { answer: await ask(instance), instance };
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 404) throw error;
      const now = await this.#find(asker, RECHECK_MS).catch(() => undefined);
      if (!now || (now.id === instance.id && now.project === instance.project)) throw error;
      return { answer: await ask(now), instance: now };
    }
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
}
