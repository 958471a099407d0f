import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { type ServiceAnswer, ServiceClient } from '../../auth/keystone/client.ts';
import { ServiceFailure } from '../../auth/keystone/failure.ts';
import { ServiceUser } from '../../auth/keystone/service-user.ts';
import type { Config } from '../../config/options.ts';
import type { EventTables } from '../event-queue.ts';
import type { EventReceiver } from '../event-sender.ts';

type NovaEvent = EventTables['novaevents'];

/** Events that Nova did not accept that are named in one line of the log. */
const NAMED = 10;
/** Nova understood none of a request: one of its events is the reason, or its size. */
const REJECTED: readonly number[] = [400, 413, 422];

/** Nova's API os-server-external-events. */
export class NovaApi implements EventReceiver<NovaEvent> {
  readonly name = 'Nova';
  readonly #client: ServiceClient;
  readonly #user: ServiceUser;
  readonly #log: Logger;

  /** Throws ConfigError for options that are missing, and files that cannot be read. */
  constructor({ nova, DEFAULT }: Config, log: Logger) {
    const tries = { http_connect_timeout: nova.timeout, http_request_max_retries: DEFAULT.http_retries };
    this.#client = new ServiceClient({ ...nova, ...tries }, 'nova');
    this.#user = new ServiceUser(this.#client, { ...nova, interface: nova.endpoint_type }, log, {
      section: 'nova',
      because: 'auth_url is set',
      type: 'compute',
      without(_authUrl, missing) {
        throw new ServiceFailure(`${missing}: check endpoint_type and region_name in [nova]`);
      },
    });
    this.#log = log;
  }

  /** Logs in unless that has happened. Throws ServiceFailure. */
  async logIn(): Promise<void> {
    await this.#user.token();
  }

  /**
   * Sends events in one request. Those that Nova does not accept are logged: it does not know their machine, and would not accept
   * them later either. Throws ServiceFailure if all must be sent again.
   */
  async send(events: readonly NovaEvent[]): Promise<void> {
    const { status, body } = await this.#post(events);
    if (status === 200 || status === 207) return this.#logRefused(body);
    // As in Neutron, machines that are gone are no cause for concern. A web server in Nova's place also says 404.
    if (status === 404 && isNovaError(body)) {
      this.#log.debug({ events: named(events) }, 'Nova knows none of the machines of these events');
      return;
    }
    if (!REJECTED.includes(status)) throw new ServiceFailure(`Nova answers ${status} to events: ${reasonOf(status)}`);
    const [first] = events;
    if (events.length > 1) {
      const half = Math.ceil(events.length / 2);
      await this.send(events.slice(0, half));
      await this.send(events.slice(half));
    } else if (first) this.#log.error({ event: first, answer: body, status }, 'Nova rejects an event; it is dropped');
  }

  async #post(events: readonly NovaEvent[]): Promise<ServiceAnswer> {
    const own = await this.#user.token();
    const answer = await this.#request(own.endpoint, own.token, events);
    if (answer.status !== 401) return answer;
    const { endpoint, token } = await this.#user.replace(own);
    return this.#request(endpoint, token, events);
  }

  #request(endpoint: string, token: string, events: readonly NovaEvent[]): Promise<ServiceAnswer> {
    return this.#client.send({
      method: 'POST',
      url: `${withVersion(endpoint)}/os-server-external-events`,
      headers: {
        'content-type': 'application/json',
        'x-auth-token': token,
        'x-openstack-request-id': `req-${randomUUID()}`,
      },
      body: { events: events.map(wireEvent) },
      service: 'Nova',
    });
  }

  #logRefused(body: unknown): void {
    const answers = (body as { readonly events?: unknown } | undefined)?.events;
    if (!Array.isArray(answers)) throw new ServiceFailure('Nova answers to events without naming them: is it Nova?');
    const refused = answers.filter((one) => (one as { readonly code?: unknown } | null)?.code !== 200);
    if (refused.length === 0) return;
    const facts = { events: refused.slice(0, NAMED), refused: refused.length };
    this.#log.warn(facts, 'Nova does not accept some events: it does not know their machine, or on which host it is');
  }

  /** Ends all requests and connections. */
  close(): Promise<void> {
    return this.#client.close();
  }
}

/** Catalogues may name Nova without a version. */
const withVersion = (url: string): string => (/\/v2(\.\d+)?(\/|$)/.test(url) ? url : `${url}/v2.1`);

const wireEvent = ({ name, server_uuid, port_id, status }: NovaEvent) => ({
  name,
  server_uuid,
  tag: port_id,
  ...(status === null ? {} : { status }),
});

const named = (events: readonly NovaEvent[]) => events.slice(0, NAMED).map(wireEvent);

/** Whether the body of an answer is an error of Nova's, such as `{"itemNotFound": {"code": 404, ...}}`. */
const isNovaError = (body: unknown): boolean =>
  typeof (body as { readonly itemNotFound?: unknown } | undefined)?.itemNotFound === 'object';

const REASONS: Readonly<Record<number, string>> = {
  401: "it rejects the token that Keystone has just issued to Neutrino's user of [nova]",
  403: "Neutrino's user of [nova] may not send events: it needs the role admin, or service, in its project",
  404: 'is it Nova?',
};
const reasonOf = (status: number): string => REASONS[status] ?? 'it cannot process them now';
