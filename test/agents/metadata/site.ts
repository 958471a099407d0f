import { join } from 'node:path';
import type { Config } from '../../../src/config/options.ts';

export const SECRET = 'secret';

/** Options of a metadata agent whose Nova is on this machine. */
export const metadataConfig = (folder: string, novaPort: number): Partial<Config['DEFAULT']> => ({
  metadata_proxy_socket: join(folder, 'run', 'metadata_proxy'),
  metadata_proxy_shared_secret: SECRET,
  nova_metadata_host: '127.0.0.1',
  nova_metadata_port: novaPort,
});
