import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeReply,
  decodeRequest,
  encodeReply,
  encodeRequest,
  MalformedMessage,
  uniqueIdOf,
} from '../../../src/rpc/rabbit/envelope.ts';
import { requestContext } from '../../../src/rpc/rabbit/request-context.ts';
import { allCaptured, bodyOf, captured } from './captured.ts';

/** The message inside a body. */
function payloadOf(body: Buffer): Record<string, unknown> {
  const outer = JSON.parse(body.toString('utf8'));
  expect(Object.keys(outer)).toEqual(['oslo.version', 'oslo.message']);
  expect(outer['oslo.version']).toBe('2.0');
  return JSON.parse(outer['oslo.message']);
}

const CALL = { messageId: 'm'.repeat(32), replyQueue: 'reply_q' };
const PLAIN = { method: 'm', args: {}, version: '1.0', uniqueId: 'u', context: {} };

describe('captured requests', () => {
  test.each(allCaptured())('$name is read', ({ call, request }) => {
    const { payload } = request;
    const read = decodeRequest(bodyOf(request));
    expect(read).toMatchObject({
      method: payload.method,
      args: payload.args,
      version: payload.version,
      uniqueId: payload._unique_id,
      requestId: payload._context_request_id,
    });
    expect(read.namespace).toBe(payload.namespace);
    expect(read.call).toEqual(call ? { messageId: payload._msg_id, replyQueue: payload._reply_q } : undefined);
    expect(read.monitorSeconds).toBeUndefined();
    expect(uniqueIdOf(bodyOf(request))).toBe(payload._unique_id);
  });

  test.each(allCaptured().filter(({ request }) => request.payload.namespace === undefined))(
    '$name is what we would send, key by key',
    ({ call, request: { payload } }) => {
      const { method, args, version, _unique_id: uniqueId, _msg_id: messageId, _reply_q: replyQueue } = payload;
      const ours = payloadOf(
        encodeRequest({
          method: String(method),
          args: args as Record<string, unknown>,
          version: String(version),
          uniqueId: String(uniqueId),
          ...(call ? { call: { messageId: String(messageId), replyQueue: String(replyQueue) } } : {}),
          context: requestContext(),
        }),
      );
      const outside = (message: object) => Object.entries(message).filter(([key]) => !key.startsWith('_context_'));
      expect(outside(ours)).toEqual(outside(payload));
      expect(Object.keys(ours).sort()).toEqual(Object.keys(payload).sort());
    },
  );
});

describe('the context', () => {
  test('is that of an agent, but for the time and the id of the request', () => {
    const { payload } = captured('report_state.DHCP_agent.start').request;
    const stock = Object.fromEntries(Object.entries(payload).filter(([key]) => key.startsWith('_context_')));
    const ours = requestContext(new Date('2026-11-21T21:57:38.766Z'));
    const { _context_request_id: ourId, _context_timestamp: ourTime, ...rest } = ours;
    const { _context_request_id: id, _context_timestamp: time, ...stockRest } = stock;
    expect(rest).toEqual(stockRest);
    expect(String(id)).toMatch(/^req-[0-9a-f-]{36}$/);
    expect(String(ourId)).toMatch(/^req-[0-9a-f-]{36}$/);
    expect(String(time)).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}$/);
    expect(ourTime).toBe('2026-11-21 21:57:38.766000');
  });
});

describe('captured answers', () => {
  test.each(allCaptured().filter(({ reply }) => reply.length > 0))(
    '$name is read, and is what we would send',
    ({ reply }) => {
      for (const message of reply) {
        const { _msg_id: messageId, _unique_id: uniqueId, result, failure } = message.payload;
        const read = decodeReply(bodyOf(message));
        expect(read).toEqual({ messageId, result, ending: true, ...(failure === null ? {} : { failure }) });
        const ours = encodeReply({
          messageId: String(messageId),
          uniqueId: String(uniqueId),
          result,
          ...(failure === null ? {} : { failure: String(failure) }),
          ending: true,
        });
        expect(Object.entries(payloadOf(ours))).toEqual(Object.entries(message.payload));
      }
    },
  );
});

describe('any message', () => {
  const json = fc.jsonValue();

  test('is read back as it was sent: requests', () => {
    fc.assert(
      fc.property(
        fc.record({
          method: fc.string({ minLength: 1 }),
          args: fc.dictionary(fc.string(), json),
          version: fc.string(),
          uniqueId: fc.string({ minLength: 1 }),
          call: fc.option(
            fc.record({ messageId: fc.string({ minLength: 1 }), replyQueue: fc.string({ minLength: 1 }) }),
          ),
        }),
        ({ call, ...request }) => {
          const { method, args, version, uniqueId } = request;
          const body = encodeRequest({ ...request, ...(call ? { call } : {}), context: {} });
          expect(decodeRequest(body)).toEqual({
            method,
            args: JSON.parse(JSON.stringify(args)),
            version,
            uniqueId,
            ...(call ? { call } : {}),
          });
        },
      ),
    );
  });

  test('is read back as it was sent: answers', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1 }),
        json,
        fc.option(fc.string({ minLength: 1 })),
        fc.boolean(),
        (messageId, result, failure, ending) => {
          const body = encodeReply({ messageId, uniqueId: 'u', result, ...(failure ? { failure } : {}), ending });
          expect(decodeReply(body)).toEqual({
            messageId,
            result: JSON.parse(JSON.stringify(result)),
            ending,
            ...(failure ? { failure } : {}),
          });
        },
      ),
    );
  });

  test('is read or refused as malformed, whatever the bytes', () => {
    const enveloped = json.map((value) =>
      Buffer.from(JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': JSON.stringify(value) })),
    );
    const bytes = fc.oneof(
      fc.uint8Array().map(Buffer.from),
      json.map((value) => Buffer.from(JSON.stringify(value))),
      enveloped,
    );
    fc.assert(
      fc.property(bytes, (body) => {
        for (const read of [decodeRequest, decodeReply]) {
          try {
            read(body);
          } catch (error) {
            expect(error).toBeInstanceOf(MalformedMessage);
          }
        }
        uniqueIdOf(body);
      }),
    );
  });
});

describe('a request', () => {
  const read = (payload: object) =>
    decodeRequest(Buffer.from(JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': JSON.stringify(payload) })));

  test('may stand without the envelope', () => {
    expect(decodeRequest(Buffer.from('{"method": "m", "args": {"a": 1}}'))).toEqual({
      method: 'm',
      args: { a: 1 },
      version: '1.0',
    });
  });

  test('without _reply_q is answered to the queue of its id', () => {
    expect(read({ method: 'm', _msg_id: 'id' }).call).toEqual({ messageId: 'id', replyQueue: 'id' });
  });

  test('may be monitored', () => {
    expect(read({ method: 'm', _timeout: 30 }).monitorSeconds).toBe(30);
    for (const timeout of [null, 0, -1, 'x', {}])
      expect(read({ method: 'm', _timeout: timeout }).monitorSeconds).toBeUndefined();
  });

  test.each([
    ['{"oslo.version": "3.0", "oslo.message": "{}"}', /"oslo.version" must be "2.0", not "3.0"/],
    ['{"oslo.version": "2.0", "oslo.message": {}}', /"oslo.message" must be JSON text/],
    ['{"oslo.version": "2.0", "oslo.message": "x"}', /"oslo.message" is not JSON/],
    ['{"args": {}}', /"method"/],
    ['{"method": "m", "args": [1]}', /"args" of "m" must be an object/],
    ['{"method": "m", "version": 1}', /"version" of "m"/],
    ['[]', /must be a JSON object/],
    ['', /not JSON/],
  ])('%s is refused', (body, why) => {
    expect(() => decodeRequest(Buffer.from(body))).toThrow(why);
  });

  test('refuses what JSON cannot hold', () => {
    expect(() => encodeRequest({ ...PLAIN, args: { n: 1n } })).toThrow(TypeError);
    expect(() => encodeReply({ messageId: CALL.messageId, uniqueId: 'u', result: 1n, ending: true })).toThrow(
      TypeError,
    );
  });
});

describe('a sign of life', () => {
  test('has no `ending`', () => {
    const body = encodeReply({ messageId: 'm', uniqueId: 'u', ending: false });
    expect(payloadOf(body)).toEqual({ result: null, failure: null, _msg_id: 'm', _unique_id: 'u' });
    expect(decodeReply(body)).toEqual({ messageId: 'm', result: null, ending: false });
  });
});
