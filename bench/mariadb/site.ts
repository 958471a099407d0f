import { join } from 'node:path';
import { type PrivateMariadb, startMariadb } from '../../test/support/mariadb.ts';
import { writeConfigFiles } from '../../test/support/neutrino.ts';
import { type RabbitMq, startRabbitMq } from '../../test/support/rabbitmq.ts';
import { launched, type RunningNeutrino, startServer } from '../neutrino.ts';

/** Servers that share a private MariaDB and RabbitMQ. */
export interface Site {
  readonly mariadb: PrivateMariadb;
  readonly rabbit: RabbitMq;
  readonly servers: readonly RunningNeutrino[];
  stop(): Promise<void>;
}

export interface SiteOptions {
  /** Folder for the files of the servers. */
  readonly folder: string;
  readonly servers: number;
  /** Additional lines of rabbitmq.conf. */
  readonly brokerConf?: readonly string[];
}

/** Starts the database and the broker, upgrades the schema, and starts the servers. Leaves nothing running if it throws. */
export async function startSite({ folder, servers: count, brokerConf = [] }: SiteOptions): Promise<Site> {
  const ends: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const end of ends.splice(0).reverse()) await end();
  };
  try {
    const mariadb = await startMariadb();
    ends.push(mariadb.dispose);
    const rabbit = await startRabbitMq({ conf: brokerConf });
    ends.push(rabbit.dispose);
    const connection = await mariadb.database();
    const files = Array.from({ length: count }, (_, i) => {
      const statePath = join(folder, `server${i}`);
      const conf = {
        DEFAULT: {
          host: `server${i}`,
          state_path: statePath,
          transport_url: rabbit.transportUrl(),
          bind_host: '127.0.0.1',
          bind_port: 0,
        },
        database: { connection },
      };
      writeConfigFiles(statePath, { 'neutron.conf': conf });
      return join(statePath, 'neutron.conf');
    });
    const [first = ''] = files;
    await launched(folder, 'db', 'upgrade', '--config-file', first).runToEnd();
    const servers: RunningNeutrino[] = [];
    for (const file of files) {
      const server = await startServer(file);
      ends.push(server.stop);
      servers.push(server);
    }
    return { mariadb, rabbit, servers, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
