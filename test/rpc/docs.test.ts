import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { MethodContract, TopicContract } from '../../src/rpc/topic.ts';
import { DHCP_AGENT_TOPIC } from '../../src/rpc/topics/dhcp-agent.ts';
import {
  NETWORK_DELETE_TOPIC,
  NETWORK_UPDATE_TOPIC,
  PORT_DELETE_TOPIC,
  PORT_UPDATE_TOPIC,
} from '../../src/rpc/topics/l2-agent.ts';
import { PLUGIN_TOPIC } from '../../src/rpc/topics/plugin.ts';
import { REPORTS_TOPIC } from '../../src/rpc/topics/reports.ts';

const page = readFileSync(new URL('../../docs/rpc.md', import.meta.url), 'utf8');

const TOPICS: readonly Pick<TopicContract<Record<string, MethodContract>>, 'topic' | 'version' | 'methods'>[] = [
  PLUGIN_TOPIC,
  REPORTS_TOPIC,
  DHCP_AGENT_TOPIC,
  PORT_UPDATE_TOPIC,
  PORT_DELETE_TOPIC,
  NETWORK_UPDATE_TOPIC,
  NETWORK_DELETE_TOPIC,
];

describe('docs/rpc.md', () => {
  test.each(TOPICS)('lists what is declared of $topic', ({ topic, version, methods }) => {
    const row = page.split('\n').find((line) => line.startsWith(`| \`${topic}\` |`));
    const [, , served, , , listed = ''] = row?.split('|').map((cell) => cell.trim()) ?? [];
    expect(served).toBe(version);
    const forAll = /\(all (\d+\.\d+)\)/.exec(listed)?.[1];
    const named = [...listed.matchAll(/`(\w+)`(?: (\d+\.\d+))?/g)].map(([, name, own]) => [name, own ?? forAll]);
    expect(Object.fromEntries(named)).toEqual(methods);
  });
});
