import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { rabbitMqObstacle } from '../../test/support/rabbitmq.ts';

const FOLDERS = ['/usr/sbin', '/sbin'];

function isProgram(name: string): boolean {
  return [...(process.env.PATH ?? '').split(delimiter), ...FOLDERS].some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Returns why a private MariaDB and RabbitMQ cannot be started here; undefined if they can. */
export function siteObstacle(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root, to run MariaDB as its own user';
  const missing = ['mariadbd', 'mariadb-install-db'].filter((name) => !isProgram(name));
  if (missing.length > 0) return `${missing.join(' and ')} missing (Debian package mariadb-server)`;
  return rabbitMqObstacle();
}
