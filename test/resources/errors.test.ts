import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ERRORS, type ErrorType, invalidAttribute, neutronError, notFound, shown } from '../../src/resources/errors.ts';

const page = new URL('../../docs/errors.md', import.meta.url);
const cell = (text: string): string => text.replaceAll('|', '\\|');

/** docs/errors.md, made of the catalogue. */
function errorsPage(): string {
  const rows = Object.entries(ERRORS)
    .sort(([a, x], [b, y]) => x.status - y.status || (a < b ? -1 : 1))
    .map(([type, { status, when, template }]) => `| ${status} | \`${type}\` | ${cell(when)} | ${cell(template)} |`);
  return [
    '# Errors',
    '',
    "An error's body is Neutron's, with Neutron's types and status codes:",
    '',
    '```json',
    '{"NeutronError": {"type": "NetworkNotFound", "message": "Network 7 could not be found.", "detail": ""}}',
    '```',
    '',
    'Rely on status and type; the words may change. `{…}` stands for a value of the request or of what it is about. Every',
    'answer carries `x-openstack-request-id`, which the log names too. What is no proper HTTP request at all (a broken header,',
    'an endless URL) gets 400, 408 or 431 with type `HTTPBadRequest`.',
    '',
    '| status | type | when | text |',
    '|---|---|---|---|',
    ...rows,
    '',
    'Made by `UPDATE_DOCS=1 npx vitest run test/resources/errors.test.ts` from `src/resources/errors.ts`.',
    '',
  ].join('\n');
}

describe('the catalogue of errors', () => {
  test('docs/errors.md mirrors it', () => {
    const text = errorsPage();
    if (process.env.UPDATE_DOCS === '1') writeFileSync(page, text);
    expect(readFileSync(page, 'utf8')).toBe(text);
  });

  test.each(Object.keys(ERRORS) as ErrorType[])('%s has a status of HTTP and says when it happens', (type) => {
    const { status, template, when } = ERRORS[type];
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(600);
    expect(template).not.toBe('');
    expect(when).not.toBe('');
    const names = [...template.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string);
    const values = Object.fromEntries(names.map((name) => [name, `<${name}>`])) as Parameters<
      typeof neutronError<ErrorType>
    >[1];
    const error = neutronError(type, values);
    expect(error).toMatchObject({ type, status, name: type });
    for (const name of names) expect(error.message).toContain(`<${name}>`);
  });

  test('values are filled in as they are, and bounded', () => {
    expect(neutronError('NetworkNotFound', { id: '$& {id} $1' }).message).toBe(
      'Network $& {id} $1 could not be found.',
    );
    expect(neutronError('NetworkNotFound', { id: 'x'.repeat(1_000_000) }).message.length).toBeLessThan(3000);
  });

  test('a value is shown as Neutron shows it: None for null, JSON for the rest, never endless', () => {
    expect(shown(null)).toBe('None');
    expect(shown(undefined)).toBe('None');
    expect(shown('x')).toBe('x');
    expect(shown({ a: [1] })).toBe('{"a":[1]}');
    expect(shown('x'.repeat(1000)).length).toBe(301);
    expect(invalidAttribute('mtu', 'so').message).toBe('Invalid input for mtu. Reason: so.');
  });

  test('what is not found is named by its resource', () => {
    expect(notFound('port', '7')).toMatchObject({ type: 'PortNotFound', status: 404 });
    expect(notFound('security_group', '7')).toMatchObject({ type: 'SecurityGroupNotFound' });
    expect(notFound('no_such_thing', '7')).toMatchObject({ type: 'HTTPNotFound' });
  });
});
