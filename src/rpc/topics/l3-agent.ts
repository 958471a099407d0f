import type { TopicContract } from '../topic.ts';

interface L3AgentMethods {
  routers_updated: { args: { routers: readonly string[] }; result: null };
  router_deleted: { args: { router_id: string }; result: null };
  router_added_to_agent: { args: { payload: readonly string[] }; result: null };
  router_removed_from_agent: { args: { payload: { router_id: string } }; result: null };
  agent_updated: { args: { payload: { admin_state_up: boolean } }; result: null };
}

/** `l3_agent`: notifications of L3 agents (casts to `l3_agent.<host>`, or to all by fanout). */
export const L3_AGENT_TOPIC: TopicContract<L3AgentMethods> = {
  topic: 'l3_agent',
  version: '1.1',
  methods: {
    routers_updated: '1.1',
    router_deleted: '1.0',
    router_added_to_agent: '1.0',
    router_removed_from_agent: '1.0',
    agent_updated: '1.0',
  },
};
