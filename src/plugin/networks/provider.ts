import { neutronError } from '../../resources/errors.ts';
import type { SegmentText } from '../../resources/segment-types.ts';
import type { WantedSegment } from './segments.ts';

/** The attributes that describe the segment of a network with a single segment. */
export const PROVIDER = ['provider:network_type', 'provider:physical_network', 'provider:segmentation_id'] as const;

type Named = Partial<SegmentText> & { readonly segments?: readonly SegmentText[] };

const wanted = (named: Partial<SegmentText>): WantedSegment => ({
  networkType: named['provider:network_type'] ?? null,
  physicalNetwork: named['provider:physical_network'] ?? null,
  segmentationId: named['provider:segmentation_id'] ?? null,
});

function rejectDuplicates(segments: readonly WantedSegment[]): void {
  const seen = new Set<string>();
  for (const { networkType, physicalNetwork, segmentationId } of segments) {
    // Segments whose id is still to be allocated may occur more than once.
    if (segmentationId === null && networkType !== 'flat') continue;
    const key = JSON.stringify([networkType, physicalNetwork, segmentationId]);
    if (seen.has(key)) throw neutronError('SegmentsContainDuplicateEntry');
    seen.add(key);
  }
}

/**
 * Returns the segments in a request, from the provider attributes or from `segments`; none if the server chooses.
 * Throws SegmentsSetInConjunctionWithProviders and SegmentsContainDuplicateEntry.
 */
export function requestedSegments(values: Named): readonly WantedSegment[] {
  const several = values.segments ?? [];
  const single = PROVIDER.some((name) => (values[name] ?? null) !== null);
  if (single && several.length > 0) throw neutronError('SegmentsSetInConjunctionWithProviders');
  const segments = (single ? [values] : several).map(wanted);
  rejectDuplicates(segments);
  return segments;
}
