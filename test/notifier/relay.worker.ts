import { appendFileSync } from 'node:fs';
import { pino } from 'pino';
import type { Config } from '../../src/config/options.ts';
import { openDatabase } from '../../src/db/open.ts';
import { startRelay } from '../../src/notifier/relay.ts';
import { sharedClaim } from '../../src/notifier/shared-claim.ts';
import { enqueueNotification } from '../../src/plugin/events.ts';
import type { RpcTransport } from '../../src/rpc/contract.ts';
import { EVENTS } from '../../src/rpc/events.ts';

/**
 * A server's relay in a process of its own. What it tells, it appends to a file that others append to; it never gets done with
 * events of the subjects that are named last. Asked by a message, it writes events too.
 */
const [configText = '', file = '', ...stuck] = process.argv.slice(2);
const config = JSON.parse(configText) as Config;
const db = openDatabase(config);
const transport = {
  cast: async (_target, _method, args) => {
    const { subject, port_id } = args as { subject: string; port_id: string | number };
    appendFileSync(file, `${process.pid} ${subject} ${port_id}\n`);
    if (stuck.includes(String(subject))) await new Promise(() => {});
  },
} as Partial<RpcTransport> as RpcTransport;
startRelay({ core: { db, config, log: pino({ level: 'silent' }) }, transport, claim: sharedClaim(db) });

interface Order {
  readonly name: string;
  readonly writers: number;
  readonly networks: number;
  readonly events: number;
}

process.on('message', async ({ name, writers, networks, events }: Order) => {
  const write = async (writer: number) => {
    for (let n = 0; n < events; n += 1) {
      const subject = `n${(writer + n) % networks}`;
      const event = { subject, port_id: `${name}.${writer}:${n}` };
      await db.transaction((trx) => enqueueNotification(trx, EVENTS.port_delete, event, { network: subject }));
    }
  };
  await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
});
process.send?.('ready');
