import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { type Answer, type CaseOptions, groups } from '../fixtures/rest/scenario.mjs';
import { type Comparison, differences, Side } from './normalise.ts';

interface Captured {
  readonly case: string;
  readonly compare?: Comparison;
  readonly request: { readonly path: string; readonly body?: unknown; readonly raw?: string };
  readonly response: { readonly status: number; readonly contentType: string; readonly body: unknown };
}

/** The result of a case: the differences between its response and the captured one. */
export interface Outcome {
  readonly name: string;
  readonly differences: readonly string[];
}

const fixtures = (group: string): ReadonlyMap<string, Captured> => {
  const cases = JSON.parse(
    readFileSync(new URL(`../fixtures/rest/${group}.json`, import.meta.url), 'utf8'),
  ) as readonly Captured[];
  return new Map(cases.map((one) => [one.case, one]));
};

const CAPTURED_AT = 'http://127.0.0.1:9696';
const TIMEOUT_MS = 30_000;

interface Received extends Answer {
  readonly contentType: string;
}

function send(
  base: URL,
  method: string,
  path: string,
  body: string | undefined,
  headers: CaseOptions['headers'] = {},
): Promise<Received> {
  const all: Record<string, string | null> = { Accept: 'application/json', ...headers };
  if (body !== undefined) {
    all['Content-Type'] ??= 'application/json';
    all['Content-Length'] = String(Buffer.byteLength(body));
  }
  const sent = Object.fromEntries(Object.entries(all).filter((pair): pair is [string, string] => pair[1] !== null));
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: base.hostname, port: base.port, method, path, headers: sent }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const answer = { status: incoming.statusCode ?? 0, contentType: incoming.headers['content-type'] ?? '', text };
        try {
          resolve({ ...answer, json: JSON.parse(text) as Record<string, unknown> });
        } catch {
          resolve(answer);
        }
      });
    });
    outgoing.on('error', reject);
    outgoing.setTimeout(TIMEOUT_MS, () =>
      outgoing.destroy(new Error(`no answer to ${method} ${path} in ${TIMEOUT_MS} ms`)),
    );
    outgoing.end(body);
  });
}

/** Sends the requests of the groups, in order, to an empty server, and compares its responses with the captured ones. */
export async function replay(url: string, names: readonly string[]): Promise<readonly Outcome[]> {
  const base = new URL(url);
  const reference = new Side(CAPTURED_AT);
  const subject = new Side(base.origin);
  const outcomes: Outcome[] = [];
  for (const group of names) {
    const captured = fixtures(group);
    const sendCase = async (
      name: string,
      method: string,
      path: string,
      body?: unknown,
      options: CaseOptions = {},
    ): Promise<Answer> => {
      const id = `${group}/${name}`;
      const raw = options.raw ?? (body === undefined ? undefined : JSON.stringify(body));
      const answer = await send(base, method, path, raw, options.headers);
      subject.sent(`${path} ${raw ?? ''}`);
      const one = captured.get(id);
      if (!one) return answer;
      const { body: want, status, contentType } = one.response;
      reference.sent(`${one.request.path} ${one.request.raw ?? JSON.stringify(one.request.body) ?? ''}`);
      reference.learn(id, want, method);
      subject.learn(id, answer.json, method);
      const how = one.compare ?? {};
      outcomes.push({
        name: id,
        differences: [
          ...(status === answer.status ? [] : [`status: want ${status} got ${answer.status}`]),
          ...(contentType === answer.contentType
            ? []
            : [`content type: want ${contentType} got ${answer.contentType}`]),
          ...differences(reference.value(want, how), subject.value(answer.json ?? answer.text, how)),
        ],
      });
      return answer;
    };
    const scenario = groups[group];
    if (!scenario) throw new Error(`the scenario has no group '${group}'`);
    await scenario(Object.assign(sendCase, { host: 'nohost' }));
  }
  return outcomes;
}
