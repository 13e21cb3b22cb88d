/** Colouring the map by a number between 0 and 1 for each passage. */

import { useMemo } from 'react';
import { useStudio } from '../state/studio';
import { useStore } from '../state/store';

/** Similarity to the selected passage, or the share of random readers who came by; nothing where kinds are shown. */
export function useHeat(): Float32Array | undefined {
  const { library, readers, settings } = useStudio();
  const colourBy = useStore(settings.store, (state) => state.colourBy);
  const similarity = useStore(library.store, (state) => state.similarity);
  const selected = useStore(library.store, (state) => state.selected);
  const tally = useStore(readers.store, (state) => state.tally);
  return useMemo(() => {
    if (colourBy === 'similarity' && similarity && selected >= 0) {
      const heat = new Float32Array(similarity.count);
      const { matrix, count, nearest } = similarity;
      if (matrix) heat.forEach((_, id) => (heat[id] = Math.sqrt((matrix[selected * count + id] ?? 0) / 255)));
      else for (const { passage, similarity: value } of nearest[selected] ?? []) heat[passage] = Math.sqrt(value);
      heat[selected] = 1;
      return heat;
    }
    if (colourBy === 'readers' && tally && tally.readers > 0) return Float32Array.from(tally.readersAt, (count) => Math.sqrt(count / tally.readers));
    return undefined;
  }, [colourBy, similarity, selected, tally]);
}
