import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { iniText } from '../../support/ini.ts';
import { Program } from '../../support/program.ts';
import type { Cloud } from './cloud.ts';
import type { Result } from './results.ts';

/** The network API's tests of tempest and of neutron-tempest-plugin; scenarios need machines. */
const NETWORK_API = '(tempest\\.api\\.network|neutron_tempest_plugin\\.api)\\.';

const WITHOUT_SLEEP = join(import.meta.dirname, 'tempest-without-sleep');
const RUN_MS = 30 * 60_000;

async function configOf({ credentials, api, externalNetwork, folder }: Cloud): Promise<string> {
  const { extensions } = await api.get<{ extensions: readonly { alias: string }[] }>('extensions');
  const absent = ['nova', 'glance', 'cinder', 'swift', 'horizon', 'designate'];
  return iniText({
    oslo_concurrency: { lock_path: join(folder, 'tempest-locks') },
    auth: {
      use_dynamic_credentials: true,
      create_isolated_networks: false,
      tempest_roles: 'member',
      admin_username: credentials.username,
      admin_password: credentials.password,
      admin_project_name: credentials.project_name,
      admin_domain_name: 'Default',
      default_credentials_domain_name: 'Default',
    },
    identity: { uri_v3: credentials.auth_url, auth_version: 'v3', v3_endpoint_type: 'public' },
    'identity-feature-enabled': { api_v2: false, api_v3: true },
    service_available: { neutron: true, ...Object.fromEntries(absent.map((name) => [name, false])) },
    network: {
      region: 'RegionOne',
      endpoint_type: 'public',
      project_network_cidr: '10.100.0.0/16',
      project_network_mask_bits: 28,
      public_network_id: externalNetwork,
      floating_network_name: 'public',
    },
    'network-feature-enabled': {
      // As devstack does: what the server does not list is skipped.
      api_extensions: extensions.map(({ alias }) => alias).join(','),
      ipv6: true,
      ipv6_subnet_attributes: true,
      floating_ips: true,
      port_security: true,
    },
    neutron_plugin_options: {
      agent_availability_zone: 'nova',
      available_type_drivers: 'flat,vlan,vxlan,local',
      provider_vlans: 'physnet1',
      create_shared_resources: true,
    },
  });
}

/** Runs tests of tempest against a cloud, with two workers. `select`: regular expression of their names. */
export async function runTempest(cloud: Cloud, select: string = NETWORK_API): Promise<readonly Result[]> {
  const workspace = join(cloud.folder, 'tempest');
  const command = async (name: string, ...words: readonly string[]): Promise<Program> => {
    const tempest = new Program({
      name,
      command: ['setpriv', '--pdeathsig=KILL', '/usr/bin/tempest', ...words],
      folder: cloud.folder,
      env: { HOME: cloud.folder, PYTHONPATH: WITHOUT_SLEEP, PYTHONDONTWRITEBYTECODE: '1' },
    });
    await tempest.start();
    return tempest;
  };
  const init = await command('tempest-init', 'init', workspace);
  if ((await init.exitCode()) !== 0) throw new Error(`tempest init failed:\n${init.lastWords()}`);
  const config = join(workspace, 'etc', 'tempest.conf');
  writeFileSync(config, await configOf(cloud), { mode: 0o600 });
  const place = ['--workspace', 'tempest', '--config-file', config];
  const tests = await command('tempest-run', 'run', ...place, '--concurrency', '2', '--regex', select);
  await tests.exitCode(RUN_MS);
  return parseTempest(tests.stdout);
}

const LINE = /^\{\d+\} (?:(setUpClass|tearDownClass) \(([^)]+)\)|(\S+)).*? \.\.\. (ok|FAILED|SKIPPED)(?:: (.*))?$/;

/** Reads the output of `tempest run`; a class that cannot be set up is one result, `<class>.setUpClass`. */
function parseTempest(output: string): readonly Result[] {
  const results: Result[] = [];
  for (const line of output.split('\n')) {
    const [, fixture, of, name, outcome, why] = LINE.exec(line) ?? [];
    if (outcome === undefined) continue;
    const test = name ?? `${of}.${fixture}`;
    if (outcome === 'SKIPPED') results.push({ test, outcome: 'skipped', why: why ?? '' });
    else results.push({ test, outcome: outcome === 'ok' ? 'passed' : 'failed' });
  }
  if (results.length === 0) throw new Error(`tempest ran no tests:\n${output.slice(-2000)}`);
  return results;
}
