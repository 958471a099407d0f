import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../config/options.ts';
import { ADMIN_CLOUD, ADMIN_OPENRC_FILE, CLOUDS_FILE, MEMBER_CLOUD, OPENRC_FILE } from '../../identity/client-files.ts';
import type { AgentKind } from '../compose/agent.ts';
import { shellWord } from '../config/flags.ts';

interface BannerFacts {
  readonly version: string;
  readonly config: Config;
  readonly url: string;
  readonly agents: boolean;
  readonly kinds: readonly Pick<AgentKind, 'title'>[];
  readonly obstacles: readonly string[];
  /** Flags with which other commands find this state path, preceded by a space. */
  readonly place: string;
}

/** How callers get access, and commands to try with it. */
interface Access {
  readonly kind: string;
  /** How to log in. */
  readonly lines: readonly string[];
  readonly commands: readonly string[];
}

const OPENSTACK_COMMANDS = [
  'openstack network create net1',
  'openstack subnet create subnet1 --network net1 --subnet-range 10.0.0.0/24',
  'openstack port create port1 --network net1',
];

function accessOf(config: Config, url: string): Access {
  const { auth_strategy: strategy, state_path: statePath } = config.DEFAULT;
  const json = "-H 'Content-Type: application/json'";
  if (strategy === 'noauth')
    return {
      kind: 'no authentication: every request has administrator rights',
      lines: [],
      commands: [
        `curl -s ${url}/v2.0/networks ${json} -d '{"network": {"name": "net1"}}'`,
        `curl -s ${url}/v2.0/subnets ${json} -d '{"subnet": {"network_id": "ID", "ip_version": 4, "cidr": "10.0.0.0/24"}}'`,
        `curl -s ${url}/v2.0/ports ${json} -d '{"port": {"network_id": "ID"}}'`,
      ],
    };
  if (strategy !== 'lab') return { kind: `authentication: ${strategy}`, lines: [], commands: OPENSTACK_COMMANDS };
  const file = (name: string) => join(statePath, name);
  const clouds = file(CLOUDS_FILE);
  const kind = `Identity at ${url}/identity/v3`;
  if (!existsSync(clouds))
    return {
      ...{ kind, commands: OPENSTACK_COMMANDS },
      lines: ['as a user of the database: this state path has no identity.yaml'],
    };
  return {
    kind,
    lines: [
      `${clouds}   clouds ${MEMBER_CLOUD} (a member) and ${ADMIN_CLOUD}`,
      `${file(OPENRC_FILE)} and ${file(ADMIN_OPENRC_FILE)}   the same users as environment variables`,
    ],
    commands: [
      `export OS_CLIENT_CONFIG_FILE=${shellWord(clouds)} OS_CLOUD=${MEMBER_CLOUD}`,
      ...OPENSTACK_COMMANDS,
      `openstack --os-cloud ${ADMIN_CLOUD} project list`,
    ],
  };
}

/** Returns the banner of `up`: the API's URL, the agents, or why they do not run, and commands to try next. */
export function banner({ version, config, url, agents, kinds, obstacles, place }: BannerFacts): string {
  const { host, state_path: statePath } = config.DEFAULT;
  const running = agents && obstacles.length === 0;
  const agentLines = running
    ? [`${new Intl.ListFormat('en').format(kinds.map(({ title }) => title))} of host ${host}`]
    : agents
      ? ['none, only the API runs: ports are created, but machines get no response to DHCP.', ...obstacles]
      : ['none (--no-agents)'];
  const access = accessOf(config, url);
  return [
    `Neutrino ${version} is up.`,
    '',
    `  API      ${url}   (${access.kind})`,
    `           ${url}/openapi.json describes it`,
    ...access.lines.map((line, index) => `  ${index === 0 ? 'Log in   ' : '         '}${line}`),
    `  State    ${statePath}`,
    ...agentLines.map((line, index) => `  ${index === 0 ? 'Agents   ' : '         '}${line}`),
    '',
    'Try next, in another terminal:',
    '',
    ...access.commands.map((command) => `  ${command}`),
    ...(running
      ? [`  bin/neutrino vm boot vm1 --network net1${place}     a machine that gets its address by DHCP`]
      : []),
    '',
    running
      ? `Ctrl-C stops Neutrino; DHCP keeps working. bin/neutrino down${place} also removes what it created on this host.`
      : 'Ctrl-C stops Neutrino.',
    '',
    '',
  ].join('\n');
}
