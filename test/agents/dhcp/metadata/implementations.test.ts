import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import type { MetadataProxies } from '../../../../src/agents/dhcp/metadata/contract.ts';
import {
  METADATA_PROXIES,
  type MetadataProxyKind,
  metadataProxies,
} from '../../../../src/agents/dhcp/metadata/implementations.ts';
import { type Config, defaultConfig } from '../../../../src/config/options.ts';

let did: string[];
let logged: string[];
let obstacle: string | undefined;
/** Implementations that hold the addresses of the network. */
let holding: Set<string>;
beforeEach(() => {
  did = [];
  logged = [];
  obstacle = undefined;
  holding = new Set();
});

/** `shares`: others may listen at the same time. */
const kind = (name: string, shares = true): MetadataProxyKind => ({
  name,
  ...(name === 'native' ? { obstacle: () => obstacle } : {}),
  create: (): MetadataProxies => ({
    async serve() {
      if (!shares && [...holding].some((one) => one !== name)) throw new Error('EADDRINUSE');
      holding.add(name);
      did.push(`${name} serves`);
    },
    async stop() {
      if (!holding.delete(name)) return undefined;
      did.push(`${name} stops`);
      return `${name} 1`;
    },
    onDeath: () => undefined,
    async close() {
      did.push(`${name} closes`);
    },
  }),
});
const proxies = (
  options: Partial<Config['DEFAULT']>,
  kinds: readonly MetadataProxyKind[] = [kind('native'), kind('haproxy')],
) => {
  const { DEFAULT, ...more } = defaultConfig();
  const config = { ...more, DEFAULT: { ...DEFAULT, enable_isolated_metadata: true, ...options } };
  const log = pino({ level: 'info' }, { write: (line) => void logged.push(line) });
  return metadataProxies({ config, log }, kinds);
};
const network = { networkId: 'n', namespace: 'qdhcp-n', devices: ['tap1'], routerId: undefined };

describe('metadataProxies', () => {
  it.each(['native', 'haproxy'])(
    'serves with the implementation that the option names, and removes the other: %s',
    async (name) => {
      const other = name === 'native' ? 'haproxy' : 'native';
      holding.add(other);
      const chosen = proxies({ metadata_proxy: name });
      await chosen.serve(network);
      expect(did).toEqual([`${name} serves`, `${other} stops`]);
      expect(await chosen.stop('n')).toBe(`${name} 1`);
      expect(await chosen.stop('n')).toBeUndefined();
      expect(logged).toEqual([]);
    },
  );

  it('takes the addresses from an implementation that does not share them', async () => {
    holding.add('haproxy');
    await proxies({}, [kind('native', false), kind('haproxy')]).serve(network);
    expect(did).toEqual(['haproxy stops', 'native serves']);
  });

  it('falls back to haproxy and says why, unless no network gets metadata', async () => {
    obstacle = 'the package koffi cannot be loaded';
    await proxies({}).serve(network);
    expect(did).toEqual(['haproxy serves']);
    expect(logged.join()).toContain('haproxy is used: the package koffi cannot be loaded');
    logged = [];
    proxies({ enable_isolated_metadata: false });
    expect(logged).toEqual([]);
  });

  it('falls back to haproxy with a state path that is too long for a socket', () => {
    proxies({ state_path: `/${'x'.repeat(80)}` }, METADATA_PROXIES);
    expect(logged.join()).toContain('too long for a socket');
  });

  it('closes all', async () => {
    await proxies({}).close();
    expect(did).toEqual(['native closes', 'haproxy closes']);
  });
});
