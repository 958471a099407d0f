import { randomUUID } from 'node:crypto';
import type { PeerCertificate } from 'node:tls';
import * as amqp from 'amqplib';
import type pino from 'pino';
import type { RabbitSettings, TlsSettings } from './settings.ts';
import { type BrokerHost, brokerName } from './transport-url.ts';

/** An open connection to one broker; `drop` closes its socket in any state. */
export interface BrokerConnection {
  readonly model: amqp.ChannelModel;
  drop(): void;
}

/** Milliseconds for name resolution, TCP, TLS and the AMQP handshake together. */
const CONNECT_MS = 10_000;

/** A broker that could not be reached, or refused the connection; the message names it and the remedy. */
class CannotConnect extends Error {
  constructor(message: string, cause: unknown) {
    super(message, { cause });
    this.name = 'CannotConnect';
  }
}

/** Connects to one broker. Throws CannotConnect, also after 10 s and when `stop` is aborted. */
export async function connectToBroker(
  host: BrokerHost,
  settings: RabbitSettings,
  programName: string,
  stop: AbortSignal,
  log: pino.Logger,
): Promise<BrokerConnection> {
  const socket = new AbortController();
  const drop = (): void => socket.abort();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    drop();
  }, CONNECT_MS);
  stop.addEventListener('abort', drop);
  try {
    if (stop.aborted) throw new Error('closing');
    // The types of the package lack `signal`, which it passes to Node's sockets.
    const options: amqp.SocketOptions & { readonly signal: AbortSignal } = {
      signal: socket.signal,
      noDelay: true,
      keepAlive: true,
      keepAliveDelay: 30_000,
      credentials: credentials(host, settings.loginMethod),
      // `program:pid:uuid` is how oslo.messaging's connections are named in rabbitmqctl list_connections.
      clientProperties: { product: 'neutrino', connection_name: `${programName}:${process.pid}:${randomUUID()}` },
      ...(settings.tls ? tlsOptions(host, settings.tls, log) : {}),
    };
    const model = await amqp.connect(broker(host, settings), options);
    // If it is dropped before anybody uses it, it emits an error; without a listener that would end the process.
    model.on('error', () => undefined);
    return { model, drop };
  } catch (error) {
    drop();
    const why = late ? `no answer within ${CONNECT_MS} ms: is a firewall in between?` : explain(error, host, settings);
    throw new CannotConnect(`RabbitMQ at ${brokerName(host)}: ${why}`, error);
  } finally {
    clearTimeout(timer);
    stop.removeEventListener('abort', drop);
  }
}

function broker(host: BrokerHost, { virtualHost, silenceMs, tls }: RabbitSettings): amqp.Options.Connect {
  return {
    protocol: tls ? 'amqps' : 'amqp',
    hostname: host.hostname,
    port: host.port,
    vhost: encodeURIComponent(virtualHost),
    // Both sides close the connection after two missed heartbeats, so the interval is half of the tolerated silence.
    heartbeat: Math.ceil(silenceMs / 2000),
  };
}

function credentials(host: BrokerHost, loginMethod: string) {
  if (loginMethod === 'EXTERNAL') return amqp.credentials.external();
  if (loginMethod === 'AMQPLAIN') return amqp.credentials.amqplain(host.username, host.password);
  return amqp.credentials.plain(host.username, host.password);
}

function tlsOptions(host: BrokerHost, tls: TlsSettings, log: pino.Logger) {
  return {
    ...tls,
    // Like oslo.messaging: with ssl_ca_file the certificate must descend from it, without it nothing is checked.
    rejectUnauthorized: tls.ca !== undefined,
    // oslo.messaging compares no names; comparing them would refuse brokers that stock services accept.
    checkServerIdentity: (_name: string, certificate: PeerCertificate): undefined => {
      log.debug({ broker: brokerName(host), subject: certificate.subject?.CN }, "the broker's certificate");
    },
  };
}

function explain(error: unknown, host: BrokerHost, { virtualHost, tls }: RabbitSettings): string {
  const { code, message } = firstOf(error);
  switch (code) {
    case 'ECONNREFUSED':
      return 'nothing listens there (ECONNREFUSED): is RabbitMQ running, is the port in transport_url right?';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the name ${host.hostname} cannot be resolved (${code}): check transport_url and DNS`;
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ETIMEDOUT':
      return `the host cannot be reached (${code}): check the network`;
  }
  // Node's texts of these contain memory addresses, different ones each time.
  if (code.startsWith('ERR_SSL')) return `TLS fails (${code}): is this the port with TLS?`;
  if (message.includes('ACCESS-REFUSED'))
    return `it refuses user ${JSON.stringify(host.username)}: check user and password in transport_url`;
  if (message.includes('Expected ConnectionOpenOk'))
    return (
      `it refuses virtual host ${JSON.stringify(virtualHost)} to user ${JSON.stringify(host.username)}: create it with ` +
      'rabbitmqctl add_vhost and set_permissions, or correct transport_url'
    );
  if (/frame/i.test(message)) return `it speaks another protocol: is this its AMQP port${tls ? ' with TLS' : ''}?`;
  if (message.includes('abruptly') || code === 'ECONNRESET')
    return `it closed the connection at once: is this its AMQP port${tls ? ' with TLS' : ' without TLS'}?`;
  return tls ? `TLS fails (${code || message}): check ssl_ca_file, ssl_cert_file and ssl_key_file` : message;
}

/** Returns the first failure. For a name with several addresses, Node reports all failures in one error without a text. */
function firstOf(error: unknown): { code: string; message: string } {
  const one = error instanceof AggregateError ? error.errors[0] : error;
  const { code, message } = one as NodeJS.ErrnoException;
  return { code: String(code ?? ''), message: String(message || code || one) };
}
