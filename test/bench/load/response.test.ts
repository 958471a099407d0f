import { expect, test } from 'vitest';
import { cutResponse, requestBytes } from '../../../bench/load/response.ts';

const response = (status: string, headers: string[], body = '') =>
  Buffer.from([`HTTP/1.1 ${status}`, ...headers, '', body].join('\r\n'));

test('a response is parsed however it is split, and leaves the bytes of the next one', () => {
  const bytes = Buffer.concat([
    response('201 Created', ['content-type: application/json', 'Content-Length: 4'], 'äöx'.slice(0, 2)),
    Buffer.from('HTTP/1.1 2'),
  ]);
  const length = bytes.length - 'HTTP/1.1 2'.length;
  for (let received = 0; received < length; received++)
    expect(cutResponse(bytes.subarray(0, received))).toBe(undefined);
  const cut = cutResponse(bytes);
  expect(cut?.status).toBe(201);
  expect(cut?.body.toString()).toBe('äö');
  expect(cut?.length).toBe(length);
});

test('204 has no body', () => {
  expect(cutResponse(response('204 No Content', ['date: now']))).toMatchObject({ status: 204, body: Buffer.alloc(0) });
});

test('responses that cannot be measured correctly are rejected', () => {
  expect(() => cutResponse(response('200 OK', ['transfer-encoding: chunked'], '0\r\n\r\n'))).toThrow('Content-Length');
  expect(() => cutResponse(Buffer.from('SSH-2.0-x\r\n\r\n'))).toThrow('no HTTP/1.1 response');
});

test('the Content-Length of a request is in bytes', () => {
  expect(requestBytes('POST', 'h:1', '/p', '"ä"').toString()).toBe(
    [
      'POST /p HTTP/1.1',
      'Host: h:1',
      'Accept: application/json',
      'Connection: keep-alive',
      'Content-Type: application/json',
      'Content-Length: 4',
      '',
      '"ä"',
    ].join('\r\n'),
  );
  expect(requestBytes('GET', 'h:1', '/p').toString()).toMatch(/keep-alive\r\n\r\n$/);
});
