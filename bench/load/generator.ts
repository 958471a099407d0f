import { answerParent } from '../child.ts';
import { percentile } from '../spread.ts';
import { Connection } from './connection.ts';
import { requestBytes } from './response.ts';

/** Sends the same request `count` times over `connections`. */
export interface RepeatJob {
  readonly kind: 'repeat';
  readonly url: string;
  readonly method: string;
  readonly path: string;
  readonly body?: string;
  readonly token?: string | undefined;
  readonly count: number;
  readonly connections: number;
  /** Expected status of every response. */
  readonly expect: number;
}

export interface RepeatResult {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Walks a list by its `next` links over one connection. */
export interface WalkJob {
  readonly kind: 'walk';
  readonly url: string;
  readonly path: string;
  /** Name of the list in the body: `ports`. */
  readonly plural: string;
  /** Maximum number of pages. */
  readonly most: number;
}

export interface WalkResult {
  readonly pages: number;
  readonly items: number;
  /** Milliseconds per page, from request to last byte. */
  readonly pageMs: readonly number[];
  /** The body of the first page. */
  readonly firstPage: string;
}

async function repeat(job: RepeatJob): Promise<RepeatResult> {
  const url = new URL(job.url);
  const request = requestBytes(job.method, url.host, job.path, job.body, job.token);
  const connections = await Promise.all(Array.from({ length: job.connections }, () => Connection.open(url)));
  const took: number[] = [];
  let left = job.count;
  const began = performance.now();
  await Promise.all(
    connections.map(async (connection) => {
      while (left-- > 0) {
        const sent = performance.now();
        const { status, body } = await connection.request(request);
        took.push(performance.now() - sent);
        if (status !== job.expect)
          throw new Error(
            `${job.method} ${job.path}: ${status} instead of ${job.expect}: ${body.toString('utf8', 0, 300)}`,
          );
      }
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  for (const connection of connections) connection.close();
  return { perSecond: job.count / seconds, p50Ms: percentile(took, 0.5), p99Ms: percentile(took, 0.99) };
}

async function walk(job: WalkJob): Promise<WalkResult> {
  const url = new URL(job.url);
  const connection = await Connection.open(url);
  const pageMs: number[] = [];
  let items = 0;
  let firstPage = '';
  let next: string | undefined = job.path;
  while (next !== undefined && pageMs.length < job.most) {
    const request = requestBytes('GET', url.host, next);
    const sent = performance.now();
    const { status, body } = await connection.request(request);
    const took = performance.now() - sent;
    const text = body.toString('utf8');
    if (status !== 200) throw new Error(`GET ${next}: ${status} ${text.slice(0, 300)}`);
    const page = JSON.parse(text) as Readonly<Record<string, unknown>>;
    const found = page[job.plural] as readonly unknown[];
    // A full last page has a link to an empty one.
    if (found.length === 0) break;
    pageMs.push(took);
    items += found.length;
    if (firstPage === '') firstPage = text;
    const links = (page[`${job.plural}_links`] ?? []) as readonly { readonly rel: string; readonly href: string }[];
    const link = links.find((l) => l.rel === 'next');
    const target: URL | undefined = link && new URL(link.href);
    next = target && `${target.pathname}${target.search}`;
  }
  connection.close();
  return { pages: pageMs.length, items, pageMs, firstPage };
}

answerParent((job: RepeatJob | WalkJob) => (job.kind === 'repeat' ? repeat(job) : walk(job)));
