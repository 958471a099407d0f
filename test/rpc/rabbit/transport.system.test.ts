import { beforeAll } from 'vitest';
import type { Broker } from '../../support/rabbitmq.ts';
import { sharedBroker } from '../../support/shared-services.ts';
import { describeRpcTransport } from '../contract.ts';
import { describeWithBroker, rabbitConfig, Transports } from './world.ts';

describeWithBroker('the RabbitMQ transport', () => {
  let broker: Broker;
  beforeAll(async () => {
    broker = await sharedBroker();
  }, 300_000);

  describeRpcTransport('rabbit', async () => {
    const transports = new Transports();
    const config = rabbitConfig(broker.transportUrl());
    return { connect: async () => transports.connect(config), close: () => transports.close() };
  });
});
