import type { FastifyInstance } from 'fastify';

/** Path that load balancers ask; answered whatever Accept says. */
export const HEALTH_PATH = '/healthcheck';

/** Whether the server answers requests, in the format of oslo.middleware's Healthcheck, which Neutron serves there. */
export function healthRoute(app: FastifyInstance): void {
  app.get(HEALTH_PATH, async (request, reply) => {
    if (/json|\*\/\*/i.test(request.headers.accept ?? '*/*')) return { detailed: false, reasons: ['OK'] };
    return reply.type('text/plain; charset=utf-8').send('OK');
  });
}
