import { describe, expect, it } from 'vitest';
import { createLogger, type LogOptions } from '../../src/cli/process/log.ts';

const logged = (options: Partial<LogOptions>) => {
  const lines: string[] = [];
  const log = createLogger({ debug: false, write: (line) => lines.push(line), ...options });
  log.debug('small');
  log.child({ agent: 'dhcp' }).warn({ network: 'n1', ports: [1], why: 'two words' }, 'left out');
  log.error({ err: Object.assign(new TypeError('broken'), { code: 'EIO' }) }, 'failed');
  log.error(new Error('alone'));
  return lines;
};

describe('the log as JSON', () => {
  it('has a line for each message, with time, name of the level, and facts', () => {
    const [warning, ...more] = logged({});
    expect(JSON.parse(warning ?? '')).toMatchObject({ level: 'warn', agent: 'dhcp', network: 'n1', msg: 'left out' });
    expect(more).toHaveLength(2);
  });

  it('has type, message and code of errors; stacks, as lines of level debug, only in debug mode', () => {
    const [, error] = logged({});
    expect(JSON.parse(error ?? '')).toMatchObject({
      level: 'error',
      msg: 'failed',
      err: { type: 'TypeError', message: 'broken', code: 'EIO' },
    });
    expect(logged({}).join('')).not.toContain(' at ');
    const [debug, , withStack] = logged({ debug: true });
    expect(JSON.parse(debug ?? '')).toMatchObject({ level: 'debug', msg: 'small' });
    expect(JSON.parse(withStack ?? '').err.stack).toMatch(/^TypeError: broken\n +at /);
  });
});

describe('the log as text', () => {
  const text = { colour: false };

  it('has readable lines: time, level, message, reason, facts', () => {
    expect(logged({ text })).toEqual([
      expect.stringMatching(/^\d\d:\d\d:\d\d WARN {2}left out agent=dhcp network=n1 ports=\[1\] why="two words"\n$/),
      expect.stringMatching(/^\d\d:\d\d:\d\d ERROR failed: broken\n$/),
      expect.stringMatching(/^\d\d:\d\d:\d\d ERROR alone\n$/),
    ]);
  });

  it('has stacks below the line in debug mode', () => {
    expect(logged({ text, debug: true })[2]).toMatch(/^\d\d:\d\d:\d\d ERROR failed: broken\nTypeError: broken\n +at /);
  });

  it('has colours only if requested, and no control characters of external text', () => {
    expect(logged({ text: { colour: true } })[0]).toContain('\x1b[33mWARN \x1b[0m left out');
    const lines: string[] = [];
    createLogger({ debug: false, text, write: (line) => lines.push(line) }).info({ name: '\x1b[2J\n' }, 'a\x07b');
    expect(lines[0]).toMatch(/^\S+ info {2}a\?b name=\S+\n$/);
    expect(lines[0]).not.toContain('\x1b');
  });
});
