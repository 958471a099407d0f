import { AGENT_ACTIONS } from './agent-networks.ts';
import { AGENT_ROUTER_ACTIONS } from './agent-routers.ts';
import { resource } from './attribute.ts';
import { boolean, dictionary, line, nullable, readOnly, shownOnly } from './types.ts';

const reported = (column: string, help: string) => ({
  type: readOnly<string>({ type: 'string' }),
  column: `agents.${column}`,
  sort: true,
  help,
});

/** Agents (API reference: Networking v2.0, Agents). */
export const AGENT = resource({
  name: 'agent',
  plural: 'agents',
  path: 'agents',
  table: 'agents',
  policy: { show: 'admin', update: 'admin', delete: 'admin' },
  methods: ['list', 'show', 'update', 'delete'],
  actions: { ...AGENT_ACTIONS, ...AGENT_ROUTER_ACTIONS },
  extension: 'agent',
  help: 'a process that serves networks or ports on a host',
  attributes: {
    id: reported('id', 'UUID of the agent'),
    agent_type: reported('agent_type', 'type of the agent, such as DHCP agent or Linux bridge agent'),
    binary: reported('binary', 'name of its executable'),
    topic: reported('topic', 'RPC topic that it listens on'),
    host: reported('host', 'host that it runs on'),
    availability_zone: {
      ...reported('availability_zone', 'its availability zone'),
      type: nullable(readOnly<string>({ type: 'string' })),
      extension: 'availability_zone',
    },
    admin_state_up: {
      type: boolean,
      put: true,
      column: 'agents.admin_state_up',
      sort: true,
      help: 'administrative state',
    },
    alive: { type: shownOnly(boolean), help: 'true if the last report is not older than agent_down_time' },
    created_at: reported('created_at', 'time of its first report (UTC)'),
    started_at: reported('started_at', 'time of its last start (UTC)'),
    heartbeat_timestamp: reported('heartbeat_timestamp', 'time of its last report (UTC)'),
    description: { type: nullable(line(255)), put: true, column: 'agents.description', sort: true, help: 'free text' },
    configurations: {
      type: shownOnly(dictionary(4095)),
      column: 'agents.configurations',
      filter: false,
      help: 'its configuration, as reported by the agent',
    },
    resources_synced: {
      type: shownOnly(nullable(boolean)),
      column: 'agents.resources_synced',
      filter: false,
      extension: 'agent-resources-synced',
      help: 'whether placement has its resources; null if it reports none',
    },
  },
});
