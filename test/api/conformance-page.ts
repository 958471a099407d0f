import { readFileSync } from 'node:fs';
import type { Outcome } from './replay.ts';

/** A case whose answer rightly differs from Neutron's. */
export interface Difference {
  readonly case: string;
  readonly what: string;
  readonly why: string;
}

export const DIFFERENCES = JSON.parse(
  readFileSync(new URL('../fixtures/rest/differences.json', import.meta.url), 'utf8'),
) as readonly Difference[];

export const GROUPS = ['root', 'networks', 'subnets', 'ports', 'tags'] as const;

/** docs/conformance.md, made of what was compared and of the list of differences. */
export function conformancePage(outcomes: readonly Outcome[]): string {
  const differing = new Set(DIFFERENCES.map((d) => d.case));
  const rows = GROUPS.map((group) => {
    const compared = outcomes.filter((o) => o.whole && o.name.startsWith(`${group}/`));
    const agreeing = compared.filter((o) => !differing.has(o.name));
    const followed = outcomes.filter((o) => !o.whole && o.name.startsWith(`${group}/`));
    return `| ${group} | ${compared.length} | ${agreeing.length} | ${compared.length - agreeing.length} | ${followed.length} |`;
  });
  return [
    '# Conformance',
    '',
    'Neutrino is asked what stock Neutron 21.0.0 (Zed) was asked, and must give the same answers: status, content type, keys, values',
    'and type of error. Ids, times and what is drawn at random are made comparable first; the words of an error are our own. Of some',
    'cases only the ids of the answer are known: they are sent, because later cases build on them, and must bring a resource where',
    "Neutron's answer did. Each case is in `test/fixtures/rest/`; `npx vitest run test/api/conformance.test.ts` compares all, and fails",
    'when a case differs that is not listed here, or one that is listed no longer does.',
    '',
    '| group | compared | agree | differ | only followed |',
    '|---|---|---|---|---|',
    ...rows,
    '',
    '## What differs, and why',
    '',
    '| case | what | why |',
    '|---|---|---|',
    ...DIFFERENCES.map((d) => `| \`${d.case}\` | ${d.what} | ${d.why} |`),
    '',
    'Made by `UPDATE_DOCS=1 npx vitest run test/api/conformance.test.ts` from `test/fixtures/rest/differences.json`.',
    '',
  ].join('\n');
}
