import type { Logger } from 'pino';
import type { MachineRequest, MetadataAnswer, MetadataProvider } from './contract.ts';
import { type NovaAnswer, NovaAway, type NovaMetadata } from './nova.ts';
import { Outages } from './outages.ts';
import { Refused } from './request.ts';

/** Nova's errors that a machine gets unchanged; all others become 500, as in Neutron. */
const PASSED: ReadonlySet<number> = new Set([400, 403, 404, 409, 502, 503, 504]);
/** The body of an error, which is not passed on; a longer one costs the connection. */
const MAX_DROPPED = 64 * 1024;

/** Has Nova's metadata API answer (`metadata_provider = nova`). */
export class NovaProvider implements MetadataProvider {
  readonly #nova: Pick<NovaMetadata, 'ask' | 'close'>;
  readonly #outages: Outages;

  constructor(nova: Pick<NovaMetadata, 'ask' | 'close'>, log: Logger) {
    this.#nova = nova;
    this.#outages = new Outages(log);
  }

  async answer(request: MachineRequest): Promise<MetadataAnswer> {
    const answer = await this.#ask(request);
    const { statusCode: status, headers, body } = answer;
    if (status < 200 || status >= 300) {
      await dropBody(answer);
      throw new Refused(
        PASSED.has(status) ? status : 500,
        `Nova answers ${status} for instance ${request.instance.id}`,
      );
    }
    const kept = ['content-type', 'content-length'].flatMap((name) => {
      const value = headers[name];
      return typeof value === 'string' ? [[name, value] as const] : [];
    });
    return { status, headers: Object.fromEntries(kept), body };
  }

  async #ask(request: MachineRequest): Promise<NovaAnswer> {
    try {
      const answer = await this.#nova.ask(request);
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

  close(): Promise<void> {
    return this.#nova.close();
  }
}

const dropBody = ({ body }: NovaAnswer): Promise<void> => body.dump({ limit: MAX_DROPPED }).catch(() => undefined);
