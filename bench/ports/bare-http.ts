import Fastify from 'fastify';
import { answerParent } from '../child.ts';

/** Returns the API's response without doing any work, in a separate process. */
export interface AnswerJob {
  readonly path: string;
  readonly method: 'GET' | 'POST';
  readonly status: number;
  /** JSON; parsed once, serialised for every response. */
  readonly body: string;
}

const answers = new Map<string, AnswerJob & { readonly document: unknown }>();
const app = Fastify();
for (const method of ['get', 'post'] as const)
  app[method]('/*', async (request, reply) => {
    const answer = answers.get(`${request.method} ${request.url.split('?')[0]}`);
    reply.code(answer?.status ?? 404);
    return answer?.document ?? {};
  });
const url = await app.listen({ host: '127.0.0.1', port: 0 });

answerParent((job: AnswerJob): { readonly url: string } => {
  answers.set(`${job.method} ${job.path}`, { ...job, document: JSON.parse(job.body) });
  return { url };
});
