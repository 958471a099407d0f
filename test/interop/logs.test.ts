import { describe, expect, test } from 'vitest';
import { stockErrors } from './logs.ts';

const at = (level: string, text: string, ms = '1') => `2026-11-22 01:00:00.00${ms} 17 ${level} neutron.agent ${text}`;

describe('errors in the log of a stock program', () => {
  test('are records at level ERROR, each with its traceback, and standalone tracebacks', () => {
    const log = [
      at('INFO', '[-] all is well'),
      at('ERROR', '[-] it broke'),
      at('ERROR', 'Traceback (most recent call last):'),
      at('ERROR', '  File "x.py"'),
      at('DEBUG', '[-] an ERROR in words'),
      at('ERROR', '[-] it broke again', '2'),
      'Traceback (most recent call last):',
      '  File "y.py"',
      'KeyError: 1',
      at('INFO', '[-] goes on'),
    ].join('\n');
    expect(stockErrors(log)).toEqual([
      at('ERROR', '[-] it broke'),
      at('ERROR', '[-] it broke again', '2'),
      'Traceback (most recent call last): | File "y.py" | KeyError: 1',
    ]);
  });

  test('combine the tracebacks of chained exceptions', () => {
    const log = [
      'Traceback (most recent call last):',
      'KeyError: 1',
      '',
      'During handling of the above exception, another exception occurred:',
      '',
      'Traceback (most recent call last):',
      '  File "/usr/lib/python3/dist-packages/oslo_privsep/daemon.py", line 1',
      'ValueError: 2',
    ].join('\n');
    expect(stockErrors(log)).toEqual([]);
    expect(stockErrors(log.replace('oslo_privsep', 'x'))).toHaveLength(1);
  });

  test('exclude those that stock programs cause among themselves', () => {
    expect(
      stockErrors(at('ERROR', '[-] dnsmasq for dhcp with uuid 1 not found. The process should not have died')),
    ).toEqual([]);
  });
});
