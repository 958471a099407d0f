import type { Report } from './contract.ts';

/** Formats a number with about three significant digits: `12 300`, `431`, `4.27`, `0.612`. */
export function formatNumber(value: number): string {
  const size = Math.abs(value);
  if (size >= 1000)
    return Math.round(value)
      .toString()
      .replace(/\B(?=(\d{3})+$)/g, ' ');
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

type Cells = readonly [what: string, median: string, range: string, rest: string];

const lines = (rows: readonly Cells[]): string => {
  const width = (column: number) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0));
  const [what, middle, range] = [width(0), width(1), width(2)];
  return rows
    .map((row) => `  ${row[0].padEnd(what)}  ${row[1].padStart(middle)}  ${row[2].padEnd(range)}  ${row[3]}`.trimEnd())
    .join('\n');
};

/** Formats the report as text: for each section, its figures, then its ratios with their goals. */
export function renderTable(report: Report): string {
  const facts = Object.entries(report.machine).map(([name, value]) => `${name} ${value}`);
  const blocks = report.sections.map((section) => {
    const head = `${section.name}: ${section.title}`;
    if (section.skipped !== undefined) return `${head}\n  not measured: ${section.skipped}`;
    const range = (min: number, max: number) => `[${formatNumber(min)} – ${formatNumber(max)}]`;
    const rows: Cells[] = [
      ...section.figures.map(
        (f): Cells => [f.what, `${formatNumber(f.median)} ${f.unit}`, range(f.min, f.max), f.note ?? ''],
      ),
      ...section.ratios.map(
        (r): Cells => [`= ${r.what}`, formatNumber(r.median), range(r.min, r.max), formatGoal(r.goal, r.reached)],
      ),
    ];
    return `${head}\n${lines(rows)}`;
  });
  const quick = report.quick ? ['A quick run: it only checks that everything runs; do not quote the figures.'] : [];
  return [`${facts.join(' · ')}`, ...quick, ...blocks].join('\n\n');
}

function formatGoal(goal: Report['sections'][number]['ratios'][number]['goal'], reached: boolean | undefined): string {
  if (goal === undefined) return '';
  const wanted = 'least' in goal ? `at least ${goal.least}` : `at most ${goal.most}`;
  return `${wanted}: ${reached ? 'reached' : 'MISSED'}`;
}
