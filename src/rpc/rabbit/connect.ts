import { randomUUID } from 'node:crypto';
import type { PeerCertificate } from 'node:tls';
import * as amqp from 'amqplib';
import type pino from 'pino';
import type { RabbitSettings, TlsSettings } from './settings.ts';
import { type BrokerHost, brokerName } from './transport-url.ts';

/** An open connection to one broker, and the switch that drops its socket whatever state it is in. */
export interface BrokerConnection {
  readonly model: amqp.ChannelModel;
  drop(): void;
}

/** Milliseconds for name look-up, TCP, TLS and AMQP's opening together. */
const CONNECT_MS = 10_000;

/** A broker that could not be reached or refused; the message names it and says what to do. */
export class CannotConnect extends Error {
  constructor(message: string, cause: unknown) {
    super(message, { cause });
    this.name = 'CannotConnect';
  }
}

/** Connects to one broker. Throws CannotConnect, also when it is not done within 10 s or `stop` says so. */
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
    // Types of the package leave out `signal`, which it hands on to Node's sockets.
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
    // Dropped before anybody holds it, it says so; unheard, that would end the process.
    model.on('error', () => undefined);
    return { model, drop };
  } catch (error) {
    drop();
    const why = late ? `no answer within ${CONNECT_MS} ms: is the way there open?` : explain(error, host, settings);
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
    // Both sides give up after two beats without a sign of life, so a beat is half of the silence that is borne.
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
    // As oslo.messaging does: with ssl_ca_file the certificate must descend from it, without it nothing is checked.
    rejectUnauthorized: tls.ca !== undefined,
    // oslo.messaging compares no names; refusing here would keep out brokers that stock services talk to.
    checkServerIdentity: (_name: string, certificate: PeerCertificate): undefined => {
      log.debug({ broker: brokerName(host), subject: certificate.subject?.CN }, "the broker's certificate");
    },
  };
}

function explain(error: unknown, host: BrokerHost, { virtualHost, tls }: RabbitSettings): string {
  const { code, message } = firstOf(error);
  switch (code) {
    case 'ECONNREFUSED':
      return 'nothing listens there (ECONNREFUSED): does RabbitMQ run, is the port in transport_url right?';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the name ${host.hostname} cannot be resolved (${code}): check transport_url and DNS`;
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ETIMEDOUT':
      return `the host cannot be reached (${code}): check the network`;
  }
  // Node's texts of these hold addresses in memory, another one each time.
  if (code.startsWith('ERR_SSL')) return `TLS fails (${code}): is this the port with TLS?`;
  if (message.includes('ACCESS-REFUSED'))
    return `it refuses user ${JSON.stringify(host.username)}: check user and password in transport_url`;
  if (message.includes('Expected ConnectionOpenOk'))
    return (
      `it refuses virtual host ${JSON.stringify(virtualHost)} to user ${JSON.stringify(host.username)}: make it with ` +
      'rabbitmqctl add_vhost and set_permissions, or correct transport_url'
    );
  if (/frame/i.test(message)) return `it speaks something else: is this its AMQP port${tls ? ' with TLS' : ''}?`;
  if (message.includes('abruptly') || code === 'ECONNRESET')
    return `it closed the connection at once: is this its AMQP port${tls ? ' with TLS' : ' without TLS'}?`;
  return tls ? `TLS fails (${code || message}): check ssl_ca_file, ssl_cert_file and ssl_key_file` : message;
}

/** With several addresses of a name, Node reports the failures of all of them in one error without a text. */
function firstOf(error: unknown): { code: string; message: string } {
  const one = error instanceof AggregateError ? error.errors[0] : error;
  const { code, message } = one as NodeJS.ErrnoException;
  return { code: String(code ?? ''), message: String(message || code || one) };
}
