import type { NetConnectOpts } from 'node:net';
import { OVSDB_ADDRESS } from '../../net/patterns.ts';

/** Returns the options of net.connect. Throws unless the text matches OVSDB_ADDRESS. */
export function ovsdbTarget(address: string): NetConnectOpts {
  if (!OVSDB_ADDRESS.test(address)) throw new Error(`${JSON.stringify(address)}: not unix:/PATH or tcp:ADDRESS:PORT`);
  if (address.startsWith('unix:')) return { path: address.slice('unix:'.length) };
  const colon = address.lastIndexOf(':');
  return {
    host: address.slice('tcp:'.length, colon).replace(/^\[|\]$/g, ''),
    port: Number(address.slice(colon + 1)),
  };
}
