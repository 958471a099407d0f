import { afterAll, beforeAll } from 'vitest';
import { type RabbitMq, startRabbitMq } from '../../support/rabbitmq.ts';
import { describeRpcTransport } from '../contract.ts';
import { describeWithBroker, rabbitConfig, Transports } from './world.ts';

describeWithBroker('the RabbitMQ transport', () => {
  let broker: RabbitMq;
  beforeAll(async () => {
    broker = await startRabbitMq();
  }, 300_000);
  afterAll(async () => {
    await broker?.dispose();
  });

  describeRpcTransport('rabbit', async () => {
    const transports = new Transports();
    const config = rabbitConfig(broker.transportUrl());
    return { connect: async () => transports.connect(config), close: () => transports.close() };
  });
});
