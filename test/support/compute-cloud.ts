import { sendText, startNova } from './nova.ts';

/** An event as Nova gets it. */
export interface SentEvent {
  readonly name: string;
  readonly server_uuid: string;
  readonly tag: string;
  readonly status?: string;
}

type Reply = { readonly status: number; readonly body?: unknown } | 'hang';

/** A server in the place of a Keystone and of the Nova in its catalogue: records which events arrive. */
export interface ComputeCloud {
  /** `[nova]` of a server that notifies it. */
  readonly options: {
    readonly auth_url: string;
    readonly username: string;
    readonly password: string;
    readonly project_name: string;
  };
  readonly port: number;
  /** The events of each request that was answered with 2xx, and of those answered otherwise. */
  readonly accepted: readonly (readonly SentEvent[])[];
  readonly refused: readonly (readonly SentEvent[])[];
  /** Tokens of the requests with events. */
  readonly tokens: readonly string[];
  readonly logins: number;
  /** Replaces Nova's answer; undefined: 200, each event with code 200. */
  answer: ((events: readonly SentEvent[]) => Reply | undefined) | undefined;
  close(): Promise<void>;
}

/** Nova's answer to events that it accepts. */
export const accepted = (events: readonly SentEvent[]) => ({
  events: events.map((event) => ({ ...event, code: 200 })),
});

export async function startComputeCloud(port = 0): Promise<ComputeCloud> {
  const server = await startNova({ port });
  const url = `http://127.0.0.1:${server.port}`;
  const taken: SentEvent[][] = [];
  const refused: SentEvent[][] = [];
  const tokens: string[] = [];
  let logins = 0;
  const cloud = {
    options: { auth_url: `${url}/v3`, username: 'neutron', password: 'x', project_name: 'service' },
    port: server.port,
    accepted: taken,
    refused,
    tokens,
    get logins() {
      return logins;
    },
    answer: undefined as ComputeCloud['answer'],
    close: () => server.close(),
  };
  server.answer(({ method, url: path, headers, body }, response) => {
    if (path === '/v3/auth/tokens') {
      logins += 1;
      const expires_at = new Date(Date.now() + 3_600_000).toISOString();
      const endpoints = [
        { interface: 'admin', region_id: 'RegionOne', url: 'http://127.0.0.1:1' },
        { interface: 'public', region_id: 'RegionOne', url: `${url}/v2.1` },
      ];
      const catalog = [
        { type: 'identity', endpoints: [{ interface: 'public', region_id: 'RegionOne', url: `${url}/v3` }] },
        { type: 'compute', endpoints },
      ];
      response.writeHead(201, { 'x-subject-token': `t${logins}` });
      return void response.end(JSON.stringify({ token: { user: { id: 'u' }, expires_at, catalog } }));
    }
    if (method !== 'POST' || path !== '/v2.1/os-server-external-events') return sendText(response, 404, path);
    const { events } = JSON.parse(body) as { readonly events: SentEvent[] };
    tokens.push(String(headers['x-auth-token']));
    const reply = cloud.answer?.(events) ?? { status: 200, body: accepted(events) };
    if (reply === 'hang') return;
    (reply.status < 300 ? taken : refused).push(events);
    response.writeHead(reply.status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(reply.body ?? {}));
  });
  return cloud;
}
