import type { Ratio, Report, Section, SectionResult } from './contract.ts';
import { spread } from './spread.ts';

/**
 * Converts the result of a section for the report: adds medians, and whether goals were reached. Throws RangeError without
 * rounds.
 */
export function reported(
  section: Pick<Section, 'name' | 'title'>,
  seconds: number,
  result: SectionResult,
): Report['sections'][number] {
  return {
    name: section.name,
    title: section.title,
    seconds,
    figures: result.figures.map((figure) => ({ ...figure, ...spread(figure.rounds) })),
    ratios: result.ratios.map((ratio) => {
      const figures = spread(ratio.rounds);
      const reached = isReached(ratio, figures.median);
      return { ...ratio, ...figures, ...(reached === undefined ? {} : { reached }) };
    }),
  };
}

function isReached({ goal }: Ratio, value: number): boolean | undefined {
  if (goal === undefined) return undefined;
  return 'least' in goal ? value >= goal.least : value <= goal.most;
}
