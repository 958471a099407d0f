import { describe, expect, test } from 'vitest';
import { resource } from '../../src/resources/attribute.ts';
import { dnsDomain, dnsName } from '../../src/resources/dns.ts';
import { allocationPools, hostRoutes, nameservers, serviceTypes } from '../../src/resources/subnet-types.ts';
import {
  boolean,
  cidr,
  dictionary,
  integer,
  ipAddress,
  line,
  listOf,
  macAddress,
  nullable,
  oneOf,
  oneOfNumbers,
  readOnly,
  text,
  uuid,
  zoneHints,
} from '../../src/resources/types.ts';
import { resourceOfBody, resourcesOfBody, validateCreate, validateUpdate } from '../../src/resources/validate.ts';

const THING = resource({
  name: 'thing',
  plural: 'things',
  path: 'things',
  methods: ['create', 'list', 'show', 'update', 'delete'],
  help: 'a thing',
  attributes: {
    id: { type: readOnly({ type: 'string' }), help: 'id' },
    needed: { type: integer({ min: 1, max: 9 }), post: true, help: 'must be there' },
    kept: { type: text(5), post: true, put: true, default: 'dflt', help: 'has a default' },
    loose: { type: nullable(boolean), post: true, put: true, optional: true, help: 'may be absent' },
    project_id: { type: line(10), post: true, optional: true, help: 'project' },
    tenant_id: { type: line(10), post: true, optional: true, help: 'project' },
  },
});

const message = (work: () => unknown): string => {
  try {
    return `fine: ${JSON.stringify(work())}`;
  } catch (error) {
    const { type, message: words } = error as { type: string; message: string };
    return `${type}: ${words}`;
  }
};

describe('a create', () => {
  const create = (given: unknown) => message(() => validateCreate(THING, given, 'caller'));

  test.each([
    [{ needed: 1 }, 'fine: {"needed":1,"kept":"dflt","project_id":"caller","tenant_id":"caller"}'],
    [
      { needed: '2', loose: null },
      'fine: {"needed":2,"kept":"dflt","loose":null,"project_id":"caller","tenant_id":"caller"}',
    ],
    [{ needed: 1, tenant_id: 't' }, 'fine: {"needed":1,"kept":"dflt","tenant_id":"t","project_id":"t"}'],
    [{ needed: 1, project_id: 'a', tenant_id: 'b' }, "HTTPBadRequest: 'project_id' and 'tenant_id' do not match"],
    [{}, "HTTPBadRequest: Failed to parse request. Required attribute 'needed' not specified"],
    [{ needed: 1, id: 'x' }, "HTTPBadRequest: Attribute 'id' not allowed in POST"],
    [{ needed: 1, nope: 1, also: 2 }, "HTTPBadRequest: Unrecognized attribute(s) 'nope, also'"],
    [{ needed: 1, toString: 1 }, "HTTPBadRequest: Unrecognized attribute(s) 'toString'"],
    [JSON.parse('{"needed": 1, "__proto__": 1}'), "HTTPBadRequest: Unrecognized attribute(s) '__proto__'"],
    [{ needed: 0 }, "HTTPBadRequest: Invalid input for needed. Reason: '0' is too small - must be at least '1'."],
    [
      { needed: 10 },
      "HTTPBadRequest: Invalid input for needed. Reason: '10' is too large - must be no larger than '9'.",
    ],
    [{ needed: null }, "InvalidInput: Invalid input for operation: 'None' is not an integer."],
    [null, "HTTPBadRequest: Object 'thing' contains invalid data"],
    [[], "HTTPBadRequest: Object 'thing' contains invalid data"],
    ['x', "HTTPBadRequest: Object 'thing' contains invalid data"],
  ])('of %j: %s', (given, outcome) => {
    expect(create(given)).toBe(outcome);
  });
});

test.each([
  [{}, 'fine: {}'],
  [{ kept: 'x' }, 'fine: {"kept":"x"}'],
  [{ loose: 'False' }, 'fine: {"loose":false}'],
  [{ needed: 1 }, 'HTTPBadRequest: Cannot update read-only attribute needed'],
  [{ id: 1 }, 'HTTPBadRequest: Cannot update read-only attribute id'],
  [{ nope: 1 }, "HTTPBadRequest: Unrecognized attribute(s) 'nope'"],
  [{ kept: '123456' }, "HTTPBadRequest: Invalid input for kept. Reason: '123456' exceeds maximum length of 5."],
  [null, "HTTPBadRequest: Object 'thing' contains invalid data"],
])('an update by %j: %s', (given, outcome) => {
  expect(message(() => validateUpdate(THING, given))).toBe(outcome);
});

test.each([
  [{ thing: 1 }, 'fine: {"bulk":false,"items":[1]}'],
  [{ things: [1, 2] }, 'fine: {"bulk":true,"items":[1,2]}'],
  [{ things: [] }, 'HTTPBadRequest: Resources required'],
  [{ things: { length: 1 } }, 'HTTPBadRequest: Resources required'],
  [{ things: Array(10_001).fill(0) }, 'HTTPBadRequest: 10001 things exceed the limit of 10000 per request'],
  [{ other: 1 }, "HTTPBadRequest: Unable to find 'thing' in request body"],
  [{ thing: null }, "HTTPBadRequest: Unable to find 'thing' in request body"],
  [{}, 'HTTPBadRequest: Resource body required'],
  [null, 'HTTPBadRequest: Resource body required'],
  [undefined, 'HTTPBadRequest: Resource body required'],
  [[1], 'HTTPBadRequest: Body contains invalid data'],
  ['x', 'HTTPBadRequest: Body contains invalid data'],
])('a body of %j: %s', (body, outcome) => {
  expect(message(() => resourcesOfBody(THING, body))).toBe(outcome);
  if (body !== null && typeof body === 'object' && 'thing' in body && body.thing !== null)
    expect(resourceOfBody(THING, body)).toBe(body.thing);
});

describe('types of attributes', () => {
  const FINE = [
    [text(3), 'äöü', 'äöü'],
    [text(3), '💣💣💣', '💣💣💣'],
    [text(9), 'a\nb', 'a\nb'],
    [line(9), 'ünï', 'ünï'],
    [boolean, 'TRUE', true],
    [boolean, 0, false],
    [boolean, '1', true],
    [integer(), ' 7 ', 7],
    [integer(), '-7', -7],
    [integer(), -0, -0],
    [uuid, '99999999-9999-9999-9999-999999999999', '99999999-9999-9999-9999-999999999999'],
    [uuid, '43F66BB82E684BBE9EB9EF6892BD7FD6', '43F66BB82E684BBE9EB9EF6892BD7FD6'],
    [ipAddress, 'FD00::0001', 'fd00::1'],
    [cidr, '10.1.2.3/8', '10.0.0.0/8'],
    [cidr, 'FD00:B::/64', 'fd00:b::/64'],
    [macAddress, 'AA-BB-cc-dd-ee-FF', 'aa:bb:cc:dd:ee:ff'],
    [oneOf(['a', 'b']), 'b', 'b'],
    [oneOfNumbers([4, 6]), '6', 6],
    [nullable(integer()), null, null],
    [listOf(integer()), ['1', 2], [1, 2]],
    [dictionary(20), { a: 1 }, { a: 1 }],
    [dnsName, 'My-Host', 'my-host'],
    [dnsName, '', ''],
    [dnsDomain, 'Example.ORG.', 'example.org.'],
    [dnsDomain, '', ''],
    [nameservers, null, []],
    [nameservers, ['10.0.0.2', 'FD00::53'], ['10.0.0.2', 'fd00::53']],
    [
      hostRoutes,
      [{ nexthop: '10.0.0.1', destination: '0.0.0.0/0' }],
      [{ destination: '0.0.0.0/0', nexthop: '10.0.0.1' }],
    ],
    [allocationPools, [{ end: '10.0.0.9', start: '10.0.0.2' }], [{ start: '10.0.0.2', end: '10.0.0.9' }]],
    [serviceTypes, ['compute:nova', 'network:dhcp'], ['compute:nova', 'network:dhcp']],
    [zoneHints, ['a', 'b'], ['a', 'b']],
  ] as const;
  test.each(FINE.map(([type, given, parsed]) => [JSON.stringify(type.schema), given, parsed, type] as const))(
    '%s accepts %j as %j',
    (_, given, parsed, type) => {
      expect(type.parse(given, 'x')).toEqual(parsed);
    },
  );

  const REFUSED = [
    [text(3), 'abcd'],
    [text(3), 'a\u0000'],
    [text(3), '\ud800'],
    [text(3), 5],
    [line(9), 'a\nb'],
    [line(9), '\u007f'],
    [boolean, 'yes'],
    [boolean, null],
    [boolean, 2],
    [integer(), 1.5],
    [integer(), '1.5'],
    [integer(), true],
    [integer(), ''],
    [integer(), Number.POSITIVE_INFINITY],
    [integer(), 2 ** 31],
    [uuid, 'abc'],
    [uuid, null],
    [ipAddress, '010.0.0.1'],
    [ipAddress, 'fe80::1%eth0'],
    [cidr, '10.0.0.0'],
    [macAddress, '00:00:00:00:00:00'],
    [macAddress, 'aa:bb:cc:dd:ee'],
    [oneOf(['a']), 'A'],
    [oneOf(['a']), ['a']],
    [oneOfNumbers([4, 6]), 5],
    [listOf(integer(), { max: 2 }), [1, 2, 3]],
    [listOf(integer(), { unique: true }), [1, '1']],
    [listOf(integer()), { length: 0 }],
    [dictionary(20), { a: 'x'.repeat(20) }],
    [dictionary(20), []],
    [dictionary(20), null],
    [dnsName, '-a'],
    [dnsName, 'a..b'],
    [dnsName, 'a_b'],
    [dnsName, 'a'.repeat(64)],
    [dnsName, `${'a.'.repeat(128)}`],
    [dnsDomain, 'example.org'],
    [nameservers, ['x']],
    [nameservers, ['FD00::1', 'fd00::1']],
    [nameservers, '10.0.0.1'],
    [hostRoutes, [{ destination: '10.0.0.1/8', nexthop: '10.0.0.1' }]],
    [hostRoutes, [{ destination: '10.0.0.0/8' }]],
    [hostRoutes, ['x']],
    [allocationPools, [{ start: '10.0.0.1' }]],
    [allocationPools, 'x'],
    [serviceTypes, 'compute:nova'],
    [serviceTypes, ['compute:a', 'compute:a']],
    [serviceTypes, ['compute:a\n']],
    [serviceTypes, [`compute:${'x'.repeat(255)}`]],
    [zoneHints, ['a', 'a']],
    [zoneHints, Array.from({ length: 30 }, (_, i) => `zone-number-${i}`)],
    [readOnly({}), 'x'],
  ] as const;
  test.each(REFUSED.map(([type, given]) => [JSON.stringify(type.schema), given, type] as const))(
    '%s rejects %j, naming attribute or value',
    (_, given, type) => {
      expect(message(() => type.parse(given, 'the_attribute'))).toMatch(
        /^(HTTPBadRequest|InvalidInput|InvalidSubnetServiceType|InvalidInputSubnetServiceType): .*(the_attribute|'.*'|Subnet service)/s,
      );
    },
  );
});
