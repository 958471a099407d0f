import { expect, test } from 'vitest';
import { reported } from '../../bench/report.ts';
import { formatNumber, renderTable } from '../../bench/table.ts';

const section = { name: 'ports', title: 'ports a second' };

test('numbers are formatted with about three significant digits', () => {
  expect([24_123.4, 1234, 431.4, 42.55, 4.267, 0.6125].map(formatNumber)).toEqual([
    '24 123',
    '1 234',
    '431',
    '42.5',
    '4.27',
    '0.613',
  ]);
});

test('the median decides whether a lower or upper limit is met', () => {
  const result = {
    figures: [],
    ratios: [
      { what: 'a', rounds: [0.1, 0.5, 0.9], goal: { least: 0.4 } },
      { what: 'b', rounds: [0.1, 0.5, 0.9], goal: { most: 0.4 } },
      { what: 'c', rounds: [0.1, 0.5, 0.9] },
    ],
  };
  expect(reported(section, 1, result).ratios.map((r) => r.reached)).toEqual([true, false, undefined]);
});

test('the table contains facts about the machine, and every figure with its range', () => {
  const text = renderTable({
    machine: { cores: 2, node: 'v24.0.0' },
    started_at: '2026-01-01T00:00:00Z',
    quick: false,
    sections: [
      reported(section, 3, {
        figures: [{ what: 'Neutrino', unit: '/s', rounds: [1000, 2000, 3000], note: 'p99 3 ms' }],
        ratios: [{ what: 'Neutrino / limit', rounds: [0.5], goal: { least: 0.4 } }],
      }),
      { ...reported({ name: 'offer', title: 'offers' }, 0, { figures: [], ratios: [] }), skipped: 'needs root' },
    ],
  });
  expect(text).toBe(
    [
      'cores 2 · node v24.0.0',
      '',
      'ports: ports a second',
      '  Neutrino            2 000 /s  [1 000 – 3 000]  p99 3 ms',
      '  = Neutrino / limit     0.500  [0.500 – 0.500]  at least 0.4: reached',
      '',
      'offer: offers',
      '  not measured: needs root',
    ].join('\n'),
  );
});
