import { describe, expect, it } from 'vitest';
import { checkModule, importCircles, importedSpecifiers, importViolations } from './setup/import-rules.ts';

describe('import rules', () => {
  it('hold in all of src/', () => {
    expect(importViolations('.')).toEqual([]);
  });

  it.each([
    ['src/agents/dhcp/agent.ts', '../../db/schema.ts', 'agents must not import db'],
    ['src/agents/dhcp/agent.ts', '../../plugin/core.ts', 'agents must not import plugin'],
    ['src/agents/dhcp/agent.ts', '../../api/app.ts', 'agents must not import api'],
    ['src/agents/dhcp/agent.ts', '../../resources/port.ts', 'agents must not import resources'],
    ['src/plugin/core.ts', '../api/app.ts', 'plugin must not import api'],
    ['src/api/app.ts', '../cli/main.ts', 'api must not import cli'],
    ['src/lab/boot.ts', '../rpc/contract.ts', 'lab must not import rpc'],
    ['src/config/load.ts', '../linux/run.ts', 'config must not import linux'],
    ['src/net/addresses.ts', '../config/load.ts', 'net must not import config'],
    ['src/time/retry.ts', '../net/addresses.ts', 'time must not import net'],
    ['src/db/open.ts', '../../test/world.ts', 'outside src/'],
    ['src/common/x.ts', '../db/open.ts', 'no room that the import rules know'],
    ['src/db/open.ts', './schema.js', 'without its ending .ts'],
  ])('refuse that %s imports %s', (path, specifier, why) => {
    expect(checkModule(path, `import type { X } from '${specifier}';`).join()).toContain(why);
    expect(checkModule(path, `const x = await import('${specifier}');`).join()).toContain(why);
  });

  it('allow the own room, rooms below, packages and package.json', () => {
    const source = `
      import { a } from './own.ts';
      import { b } from '../db/schema.ts';
      import { c } from '../ipam/allocate.ts';
      import Fastify from 'fastify';
      export * from '../resources/port.ts';
      // import { d } from '../cli/main.ts';
      /* import { e } from '../api/app.ts'; */`;
    expect(importedSpecifiers(source)).toHaveLength(5);
    expect(checkModule('src/plugin/core.ts', source)).toEqual([]);
    expect(checkModule('src/cli/program.ts', "import p from '../../package.json' with { type: 'json' };")).toEqual([]);
  });

  it.each([
    ['two folders', ['a/x.ts -> b/x.ts', 'b/y.ts -> a/y.ts'], ['src/plugin: a, b import each other in a circle']],
    [
      'folders through a file',
      ['a/x.ts -> core.ts', 'core.ts -> b/x.ts', 'b/y.ts -> a/y.ts'],
      ['src/plugin: a, b, core.ts import each other in a circle'],
    ],
    [
      'folders in a folder',
      ['a/b/x.ts -> a/c/x.ts', 'a/c/x.ts -> a/b/y.ts'],
      ['src/plugin/a: b, c import each other in a circle'],
    ],
    ['nothing else', ['a/x.ts -> core.ts', 'b/x.ts -> a/y.ts', 'list.ts -> a/x.ts', 'list.ts -> b/x.ts'], []],
  ])('find circles of %s', (_what, imports, circles) => {
    const modules = imports.map((one) => {
      const [from = '', to = ''] = one.split(' -> ').map((path) => `src/plugin/${path}`);
      return { path: from, imports: [to] };
    });
    const leaves = modules.flatMap((one) => one.imports.map((path) => ({ path, imports: [] })));
    expect(importCircles('src/plugin', [...modules, ...leaves])).toEqual(circles);
  });
});
