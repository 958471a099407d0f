import { resource } from './attribute.ts';
import { boolean, line, nullable, readOnly } from './types.ts';

const told = (column: string, help: string, sort = true) => ({
  type: readOnly({ type: 'string' }),
  column: `agents.${column}`,
  sort,
  help,
});

/** Agents (API reference: Networking v2.0, Agents). */
export const AGENT = resource({
  name: 'agent',
  plural: 'agents',
  path: 'agents',
  methods: ['list', 'show', 'update', 'delete'],
  extension: 'agent',
  help: 'a process that serves networks on a host',
  attributes: {
    id: told('id', 'UUID of the agent'),
    agent_type: told('agent_type', 'kind of agent: DHCP agent, Linux bridge agent'),
    binary: told('binary', 'name of its program'),
    topic: told('topic', 'topic that it listens to'),
    host: told('host', 'host that it runs on'),
    availability_zone: { ...told('availability_zone', 'its availability zone'), extension: 'availability_zone' },
    admin_state_up: {
      type: boolean,
      put: true,
      column: 'agents.admin_state_up',
      sort: true,
      help: 'whether it is to work',
    },
    alive: { type: readOnly({ type: 'boolean' }), help: 'whether it reported within agent_down_time' },
    created_at: told('created_at', 'when it reported first (UTC)'),
    started_at: told('started_at', 'when it was started last (UTC)'),
    heartbeat_timestamp: told('heartbeat_timestamp', 'when it reported last (UTC)'),
    description: { type: nullable(line(255)), put: true, column: 'agents.description', sort: true, help: 'free text' },
    configurations: { type: readOnly({ type: 'object' }), help: 'what it says of itself' },
    resources_synced: {
      type: readOnly({ type: ['boolean', 'null'] }),
      extension: 'agent-resources-synced',
      help: 'whether placement knows its resources',
    },
  },
});
