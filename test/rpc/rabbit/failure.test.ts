import { describe, expect, test } from 'vitest';
import { neutronError } from '../../../src/resources/errors.ts';
import { NoSuchMethod, RemoteError, UnsupportedVersion } from '../../../src/rpc/errors.ts';
import { decodeFailure, encodeFailure, isExpected } from '../../../src/rpc/rabbit/failure.ts';
import { allCaptured } from './captured.ts';

const encoded = (error: unknown) => JSON.parse(encodeFailure(error));
const failures = allCaptured().filter(({ reply }) => reply[0]?.payload.failure);

describe('captured failures', () => {
  test.each(failures)('$name becomes the error it names', ({ request, reply }) => {
    const { method, version } = request.payload;
    const text = String(reply[0]?.payload.failure);
    const { class: name, message } = JSON.parse(text);
    const error = decodeFailure('q-plugin', String(method), String(version), text);
    if (name === 'TypeError') {
      expect(error).toBeInstanceOf(RemoteError);
      expect(error).toMatchObject({ remoteClass: name, remoteMessage: message });
    } else {
      expect(error).toBeInstanceOf({ UnsupportedVersion, NoSuchMethod }[String(name)] ?? Error);
      expect(error.message).toBe(message);
    }
  });

  test.each(failures)('$name is what we would send, field by field', ({ request, reply }) => {
    const { method, version } = request.payload;
    const stock = JSON.parse(String(reply[0]?.payload.failure));
    const errors: Record<string, Error> = {
      UnsupportedVersion: new UnsupportedVersion(String(method), String(version)),
      NoSuchMethod: new NoSuchMethod(String(method)),
      TypeError: new TypeError(stock.message),
    };
    expect(Object.entries(encoded(errors[stock.class]))).toEqual(Object.entries({ ...stock, tb: [] }));
  });

  test('cover the three kinds', () => {
    const kinds = failures.map(({ reply }) => JSON.parse(String(reply[0]?.payload.failure)).class);
    expect(new Set(kinds)).toEqual(new Set(['UnsupportedVersion', 'NoSuchMethod', 'TypeError']));
  });
});

describe("an error of the API's catalogue", () => {
  test('is named so that a stock agent raises Neutron’s class: its constructor takes no positional argument', () => {
    expect(encoded(neutronError('NetworkNotFound', { id: 'n1' }))).toEqual({
      class: 'NetworkNotFound',
      module: 'neutron_lib.exceptions',
      message: 'Network n1 could not be found.',
      tb: [],
      args: [],
      kwargs: {},
    });
  });

  test('is expected, as are version and method; others are not', () => {
    const expected = [
      neutronError('PortNotFound', { id: 'p' }),
      new UnsupportedVersion('m', '2.0'),
      new NoSuchMethod('m'),
    ];
    expect(expected.map(isExpected)).toEqual([true, true, true]);
    const others = [
      new TypeError('x'),
      new Error('x'),
      'x',
      undefined,
      Object.assign(new Error('x'), { type: 'Y', status: 404 }),
    ];
    expect(others.map(isExpected)).toEqual([false, false, false, false, false]);
  });
});

describe('any other error', () => {
  class DeviceGone extends Error {}
  test.each([
    [new DeviceGone('tap1'), 'DeviceGone', 'tap1'],
    [new RemoteError('t', 'm', 'Conflict', 'no'), 'RemoteError', 'm on t failed there with Conflict: no'],
    [new Error('plain'), 'Error', 'plain'],
    ['a string', 'string', 'a string'],
    [undefined, 'undefined', 'undefined'],
  ])('%s is named as it is, and arrives as RemoteError', (thrown, name, message) => {
    const text = encodeFailure(thrown);
    expect(JSON.parse(text)).toMatchObject({ class: name, module: 'neutrino', message, args: [message] });
    const error = decodeFailure('t', 'm', '1.0', text);
    expect(error).toBeInstanceOf(RemoteError);
    expect(error).toMatchObject({ remoteClass: name, remoteMessage: message });
  });

  test('of a server deeper down keeps the version and method it was about', () => {
    const error = decodeFailure('t', 'outer', '1.0', encodeFailure(new UnsupportedVersion('inner', '7.3')));
    expect(error).toMatchObject({ name: 'UnsupportedVersion', method: 'inner', version: '7.3' });
  });

  test.each(['no json', 'null', '[]', '{}', '{"class": 5}', '{"module": "oslo_messaging.rpc.dispatcher"}'])(
    'failure %s arrives as RemoteError',
    (text) => {
      expect(decodeFailure('t', 'm', '1.0', text)).toBeInstanceOf(RemoteError);
    },
  );
});
