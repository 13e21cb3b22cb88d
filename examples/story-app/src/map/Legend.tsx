/** What the shapes and colours of the map mean, and what it is coloured by. */

import { useStudio } from '../state/studio';
import { useStore } from '../state/store';
import type { ColourBy } from '../state/settings';
import type { Look } from './scene';

const LOOKS: ReadonlyArray<readonly [Look, string, string]> = [
  ['start', 'Beginning', 'M9 2H27a7 7 0 0 1 0 14H9a7 7 0 0 1 0-14z'],
  ['ending', 'Ending', 'M2 9 7 2H29l5 7-5 7H7z'],
  ['loose', 'Dead end', 'M3 2H33V16l-5-4-5 4-5-4-5 4-5-4-5 4z'],
  ['trapped', 'No way out', 'M8 2H28l5 5v4l-5 5H8l-5-5V7z'],
  ['unreachable', 'Unreachable', 'M3 2H33V16H3z'],
];

const MODES: ReadonlyArray<readonly [ColourBy, string]> = [
  ['kind', 'What it is'],
  ['similarity', 'Likeness to the selected passage'],
  ['readers', 'Random readers who came by'],
];

export function Legend() {
  const { library, readers, settings } = useStudio();
  const colourBy = useStore(settings.store, (state) => state.colourBy);
  const reachability = useStore(library.store, (state) => state.reachability);
  const hasSimilarity = useStore(library.store, (state) => state.similarity !== undefined);
  const hasReaders = useStore(readers.store, (state) => (state.tally?.readers ?? 0) > 0);
  const counts: Partial<Record<Look, number>> = {
    ending: reachability?.endings.filter((end) => end.certain).length ?? 0,
    loose: reachability?.looseEnds.filter((end) => end.certain).length ?? 0,
    trapped: reachability?.trapped.length ?? 0,
    unreachable: reachability?.unreachable.length ?? 0,
  };
  return (
    <div className="legend">
      <label className="legend-mode">
        <span>Colour</span>
        <select data-testid="colour-by" value={colourBy} onChange={(event) => settings.colourBy(event.target.value as ColourBy)}>
          {MODES.map(([mode, name]) => (
            <option key={mode} value={mode} disabled={(mode === 'similarity' && !hasSimilarity) || (mode === 'readers' && !hasReaders)}>
              {name}
            </option>
          ))}
        </select>
      </label>
      {colourBy === 'kind' ? (
        <ul className="legend-keys" aria-label="Shapes">
          {LOOKS.filter(([look]) => look === 'start' || (counts[look] ?? 0) > 0).map(([look, name, path]) => (
            <li key={look} data-look={look}>
              <svg viewBox="0 0 36 18" width="26" height="13" aria-hidden="true">
                <path d={path} />
              </svg>
              {name}
              {counts[look] === undefined ? null : <span className="count">{counts[look]}</span>}
            </li>
          ))}
        </ul>
      ) : (
        <p className="legend-scale">
          <span>{colourBy === 'similarity' ? 'Unlike' : 'None'}</span>
          <span className="legend-ramp" aria-hidden="true" />
          <span>{colourBy === 'similarity' ? 'Alike' : 'All'}</span>
        </p>
      )}
    </div>
  );
}
