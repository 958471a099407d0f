import { expect } from 'vitest';
import type { IdentityProvider } from '../../src/auth/contract.ts';
import type { Service } from '../../src/plugin/service.ts';
import { ADMIN, memberOf, openCore, type TestCore } from './core.ts';
import { apiOf, servicesOf } from './services.ts';

/** A response, with its JSON and the type of its NeutronError. */
export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests read parts of documents of any shape, and fail if one is missing
  readonly json: any;
  readonly type: string | undefined;
}

/** The API of a server of its own, asked by callers of several projects. */
export interface CallersApi {
  readonly core: TestCore;
  readonly services: readonly Service[];
  /**
   * Sends a request as `admin` (of project p1), as the member of a project (`p1`), or with other roles (`p1:reader`). `path`: below
   * /v2.0.
   */
  ask(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object, caller?: string): Promise<Answer>;
  /** Creates a resource and returns its document; fails if the response is not 201. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  create(path: string, name: string, values: object, caller?: string): Promise<any>;
  close(): Promise<void>;
}

/** The caller stands in a header. */
const identity: IdentityProvider = {
  identify({ 'x-caller': who = 'admin' }) {
    if (who === 'admin') return ADMIN;
    const [project = '', ...roles] = String(who).split(':');
    const member = memberOf(project);
    return roles.length === 0 ? member : { ...member, roles };
  },
};

/** Starts the API of a server on a database of its own; nothing listens. */
export async function openCallersApi(overrides: Parameters<typeof openCore>[0] = {}): Promise<CallersApi> {
  const core = await openCore(overrides);
  const services = servicesOf(core);
  const app = apiOf(core, services, core.log, identity);
  const ask: CallersApi['ask'] = async (method, path, body, caller = 'admin') => {
    const reply = await app.inject({
      method,
      url: `/v2.0${path}`,
      headers: { 'x-caller': caller },
      ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
    });
    const json = reply.body === '' ? undefined : reply.json();
    return { status: reply.statusCode, json, type: json?.NeutronError?.type };
  };
  return {
    core,
    services: services.all,
    ask,
    async create(path, name, values, caller) {
      const { status, json } = await ask('POST', path, { [name]: values }, caller);
      expect(status, JSON.stringify(json)).toBe(201);
      return json[name];
    },
    async close() {
      await app.close();
      await core.dispose();
    },
  };
}
