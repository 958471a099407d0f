import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ApiClient } from '../../test/support/api-client.ts';
import { keystoneObstacle, startKeystone } from '../../test/support/keystone.ts';
import { writeConfigFiles } from '../../test/support/neutrino.ts';
import { type RunningNeutrino, startNeutrino } from '../neutrino.ts';

/** A Neutrino under one `auth_strategy`, with a member who is logged in. */
export interface Authenticated {
  readonly name: string;
  readonly url: string;
  /** Absent under noauth. */
  readonly token: string | undefined;
  /** A client with the token. */
  readonly api: ApiClient;
}

/** A value of `auth_strategy` to measure. */
interface Strategy {
  readonly name: string;
  /** Returns why it cannot run here; undefined if it can. */
  obstacle?(): string | undefined;
  /** Starts it; `defer` takes what must be stopped at the end. */
  start(statePath: string, defer: (end: () => Promise<void>) => void): Promise<Authenticated>;
}

const withToken = (name: string, { url }: RunningNeutrino, token?: string): Authenticated => ({
  name,
  url,
  token,
  api: new ApiClient(url, token),
});

/** The strategies, the one that the others are compared with first. */
export const STRATEGIES: readonly Strategy[] = [
  {
    name: 'noauth',
    async start(statePath, defer) {
      const neutrino = await startNeutrino({ statePath });
      defer(neutrino.stop);
      return withToken('noauth', neutrino);
    },
  },
  {
    name: 'lab',
    async start(statePath, defer) {
      const neutrino = await startNeutrino({ statePath, flags: ['--auth', 'lab'] });
      defer(neutrino.stop);
      return withToken('lab', neutrino, await labToken(statePath));
    },
  },
  {
    name: 'keystone',
    obstacle: keystoneObstacle,
    async start(statePath, defer) {
      const keystone = await startKeystone();
      defer(keystone.dispose);
      const { user, password, project } = await keystone.accounts.account('services', ['service'], 'neutron');
      const flags = writeConfigFiles(`${statePath}-config`, {
        'neutron.conf': {
          DEFAULT: { auth_strategy: 'keystone' },
          keystone_authtoken: { auth_url: keystone.url, username: user, password, project_name: project },
        },
      });
      const neutrino = await startNeutrino({ statePath, flags });
      defer(neutrino.stop);
      const member = await keystone.accounts.account('bench');
      return withToken('keystone', neutrino, await keystone.accounts.token(member));
    },
  },
];

/** Logs in as the member in the `clouds.yaml` that Neutrino has written. */
async function labToken(statePath: string): Promise<string> {
  type Auth = Readonly<Record<string, string>>;
  const file: { readonly clouds: { readonly neutrino: { readonly auth: Auth } } } = parse(
    readFileSync(join(statePath, 'clouds.yaml'), 'utf8'),
  );
  const { auth } = file.clouds.neutrino;
  const user = { name: auth.username, domain: { name: auth.user_domain_name }, password: auth.password };
  const project = { name: auth.project_name, domain: { name: auth.project_domain_name } };
  const response = await fetch(`${auth.auth_url}/auth/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ auth: { identity: { methods: ['password'], password: { user } }, scope: { project } } }),
  });
  const token = response.headers.get('x-subject-token');
  if (!token) throw new Error(`login with clouds.yaml: ${response.status} ${await response.text()}`);
  return token;
}
