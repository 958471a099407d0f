import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rabbitSettings } from '../../../src/rpc/rabbit/settings.ts';
import { rabbitConfig } from './world.ts';

describe('the settings of the RabbitMQ transport', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'neutrino-settings-'));
    for (const name of ['ca', 'cert', 'key']) writeFileSync(join(folder, name), `${name} text`);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('are what stock files mean by default', () => {
    expect(rabbitSettings(rabbitConfig('rabbit://u:p@h/', { rabbit_interval_max: 30 }))).toMatchObject({
      controlExchange: 'neutron',
      responseTimeoutMs: 60_000,
      silenceMs: 60_000,
      retryFirstMs: 1_000,
      retryMaxMs: 30_000,
      prefetch: 64,
      transientQueueTtlMs: 1_800_000,
      missingReplyQueueMs: 60_000,
      tls: undefined,
      queues: { quorum: false, durable: false, autoDelete: false },
      ignored: [],
    });
  });

  test('come from the query of transport_url before the file', () => {
    const config = rabbitConfig(
      'rabbit://h/?rabbit_qos_prefetch_count=5&heartbeat_timeout_threshold=0&use_queue_manager=1',
      {
        rabbit_qos_prefetch_count: 7,
      },
    );
    expect(rabbitSettings(config)).toMatchObject({ prefetch: 5, silenceMs: 0, ignored: ['use_queue_manager'] });
  });

  test('refuse a wrong value in the query, naming it', () => {
    expect(() => rabbitSettings(rabbitConfig('rabbit://h/?ssl=perhaps'))).toThrow(
      /\[oslo_messaging_rabbit\] ssl = "perhaps" \(query of transport_url\): must be true or false/,
    );
  });

  test('make quorum queues durable', () => {
    expect(rabbitSettings(rabbitConfig('rabbit://h/', { rabbit_quorum_queue: true })).queues).toEqual({
      quorum: true,
      durable: true,
      autoDelete: false,
    });
  });

  test('hold the certificates, and name a file that cannot be read', () => {
    const files = {
      ssl_ca_file: join(folder, 'ca'),
      ssl_cert_file: join(folder, 'cert'),
      ssl_key_file: join(folder, 'key'),
    };
    const { tls } = rabbitSettings(rabbitConfig('rabbit://h/', { ssl: true, ...files }));
    expect([tls?.ca, tls?.cert, tls?.key].map(String)).toEqual(['ca text', 'cert text', 'key text']);
    expect(rabbitSettings(rabbitConfig('rabbit://h/', { ssl: true })).tls).toEqual({});
    expect(() => rabbitSettings(rabbitConfig('rabbit://h/', { ssl: true, ssl_ca_file: join(folder, 'none') }))).toThrow(
      /ssl_ca_file = .*none: cannot be read \(ENOENT\)/,
    );
  });
});
