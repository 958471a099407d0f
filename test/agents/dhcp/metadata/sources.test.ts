import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sourcesOf } from '../../../../src/agents/dhcp/metadata/native/sources.ts';

const SRC = join(import.meta.dirname, '../../../../src');

test('the sources of the process are all that it imports when it runs, in any folder', () => {
  const names = [...sourcesOf(join(SRC, 'agents/dhcp/metadata/native/main.ts')).keys()].map((path) =>
    path.slice(SRC.length + 1),
  );
  const native = ['main', 'control-server', 'listeners', 'bounds', 'forward', 'headers', 'upstream', 'rate-limit'];
  expect(names).toEqual(
    expect.arrayContaining([
      ...native.map((name) => `agents/dhcp/metadata/native/${name}.ts`),
      ...['linux/tcp-sockets.ts', 'linux/socket-addresses.ts', 'linux/ip.ts', 'time/pause.ts'],
    ]),
  );
  // Imported for its types alone.
  expect(names).not.toContain('agents/dhcp/metadata/rate-settings.ts');
  expect(names).not.toContain('config/options.ts');
});
