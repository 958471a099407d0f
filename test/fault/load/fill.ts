import type { PortDocument } from '../../../src/rpc/documents.ts';
import { type Answer, ask } from './ask.ts';

/** The result of creating ports in parallel. Times are milliseconds of performance.now(). */
export interface FillReport {
  /** Created ports, with the time of each request. */
  readonly made: readonly { readonly port: PortDocument; readonly asked: number }[];
  /** All other responses, with their times. */
  readonly others: readonly { readonly answer: Answer; readonly came: number }[];
}

const makePort = (url: string, networkId: string) => ask(url, 'POST', 'ports', { port: { network_id: networkId } });

/**
 * Lets many clients create ports on a network, through all servers in turn, until each learns that there are no free addresses.
 */
export async function fillNetwork(urls: readonly string[], networkId: string, clients: number): Promise<FillReport> {
  const made: FillReport['made'][number][] = [];
  const others: FillReport['others'][number][] = [];
  const client = async (_: unknown, index: number): Promise<void> => {
    for (let turn = index; ; turn++) {
      const asked = performance.now();
      const answer = await makePort(urls[turn % urls.length] ?? '', networkId);
      if (answer.status !== 201) return void others.push({ answer, came: performance.now() });
      made.push({ port: answer.body.port as PortDocument, asked });
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return { made, others };
}

/** Creates this many ports on a network simultaneously. */
export function makeAtOnce(urls: readonly string[], networkId: string, count: number): Promise<readonly Answer[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => makePort(urls[i % urls.length] ?? '', networkId)));
}

/** Returns `201`, or the other response. */
const answerText = (answer: Answer): string =>
  answer.status === undefined
    ? 'no answer'
    : answer.status === 201
      ? '201'
      : `${answer.status} ${(answer.body.NeutronError as { readonly type?: string } | undefined)?.type}`;

/** Counts responses. */
export function tally(answers: readonly Answer[]): Readonly<Record<string, number>> {
  const times: Record<string, number> = {};
  for (const answer of answers) times[answerText(answer)] = (times[answerText(answer)] ?? 0) + 1;
  return times;
}
