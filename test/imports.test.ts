import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { importCircles } from './setup/import-circles.ts';
import { checkModule, importedSpecifiers, importViolations } from './setup/import-rules.ts';

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

  it('allow agents only the lowest layers, linux and rpc', () => {
    const rooms = readdirSync('src').filter((room) => room !== 'agents');
    const allowed = rooms.filter(
      (room) => checkModule('src/agents/x.ts', `import { x } from '../${room}/x.ts';`).length === 0,
    );
    expect(allowed.sort()).toEqual(['config', 'linux', 'net', 'rpc', 'time']);
  });

  it('allow the same folder, lower layers, packages and package.json', () => {
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

  it('accept imports in one direction', () => {
    expect(
      importCircles([
        { from: 'src/plugin/resources.ts', to: 'src/plugin/ports/create.ts' },
        { from: 'src/plugin/ports/create.ts', to: 'src/plugin/networks/mtu.ts' },
        { from: 'src/plugin/ports/create.ts', to: 'src/plugin/core.ts' },
        { from: 'src/plugin/networks/mtu.ts', to: 'src/plugin/core.ts' },
        { from: 'src/api/app.ts', to: 'src/plugin/resources.ts' },
      ]),
    ).toEqual([]);
  });

  it.each([
    [
      'two folders',
      ['plugin/networks/a.ts -> plugin/ports/b.ts', 'plugin/ports/c.ts -> plugin/networks/d.ts'],
      'src/plugin: networks -> ports -> networks ' +
        '(src/plugin/networks/a.ts imports src/plugin/ports/b.ts, src/plugin/ports/c.ts imports src/plugin/networks/d.ts)',
    ],
    [
      'three folders',
      ['cli/a/a.ts -> cli/b/b.ts', 'cli/b/x.ts -> cli/c/c.ts', 'cli/c/x.ts -> cli/a/x.ts'],
      'src/cli: a -> b -> c -> a',
    ],
    [
      'a file beside the folders',
      ['plugin/core.ts -> plugin/ports/a.ts', 'plugin/ports/b.ts -> plugin/core.ts'],
      'src/plugin: core.ts -> ports -> core.ts',
    ],
    [
      'folders in folders',
      ['agents/dhcp/a.ts -> agents/dhcp/drivers/d/e.ts', 'agents/dhcp/drivers/f.ts -> agents/dhcp/a.ts'],
      'src/agents/dhcp: a.ts -> drivers -> a.ts',
    ],
    ['two files', ['db/a.ts -> db/b.ts', 'db/b.ts -> db/a.ts'], 'src/db: a.ts -> b.ts -> a.ts'],
    ['one file', ['db/a.ts -> db/a.ts'], 'src/db: a.ts -> a.ts'],
    ['two rooms', ['db/a.ts -> net/b.ts', 'net/c.ts -> db/d.ts'], 'src: db -> net -> db'],
  ])('refuse a circle of %s', (_, imports, circle) => {
    const links = imports.map((link) => {
      const [from, to] = link.split(' -> ');
      return { from: `src/${from}`, to: `src/${to}` };
    });
    const found = importCircles(links);
    expect(found).toHaveLength(1);
    expect(found[0]?.startsWith(circle), found[0]).toBe(true);
  });
});
