import { readdirSync, readFileSync } from 'node:fs';

/** A message as RabbitMQ's firehose showed it between a stock neutron-server and its agents. */
export interface CapturedMessage {
  readonly exchange: string;
  readonly routing_keys: readonly string[];
  readonly properties: Readonly<Record<string, unknown>>;
  readonly body: { readonly 'oslo.version': string; readonly 'oslo.message': string };
  /** The inner text, decoded. */
  readonly payload: Readonly<Record<string, unknown>>;
}

export interface Captured {
  readonly name: string;
  readonly call: boolean;
  readonly request: CapturedMessage;
  readonly reply: readonly CapturedMessage[];
}

const folder = new URL('../../fixtures/rpc/', import.meta.url);

/** All captured conversations: a request and, for calls, its answer. */
export function allCaptured(): readonly Captured[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json') && !file.startsWith('broker-'))
    .map((file) => ({ ...fixture<Omit<Captured, 'name'>>(file), name: file.replace(/\.json$/, '') }));
}

export function captured(name: string): Captured {
  return { ...fixture<Omit<Captured, 'name'>>(`${name}.json`), name };
}

export function fixture<T>(file: string): T {
  return JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as T;
}

/** The body byte for byte as Python's JSON wrote it. */
export function bodyOf(message: CapturedMessage): Buffer {
  const { 'oslo.version': version, 'oslo.message': text } = message.body;
  return Buffer.from(`{"oslo.version": ${JSON.stringify(version)}, "oslo.message": ${JSON.stringify(text)}}`);
}
