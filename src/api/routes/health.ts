import type { FastifyInstance } from 'fastify';

/** Path for load balancers; it ignores the Accept header. */
export const HEALTH_PATH = '/healthcheck';

/** Route that reports the health of the server in the format of oslo.middleware's Healthcheck, which Neutron serves there. */
export function healthRoute(app: FastifyInstance): void {
  app.get(HEALTH_PATH, async (request, reply) => {
    if (/json|\*\/\*/i.test(request.headers.accept ?? '*/*')) return { detailed: false, reasons: ['OK'] };
    return reply.type('text/plain; charset=utf-8').send('OK');
  });
}
