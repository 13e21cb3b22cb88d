/** All passages as a list: the map for those who read rather than look. */

import { useState } from 'react';
import { remarks } from '../map/describe';
import { titleOf } from '../map/labels';
import { useStudio } from '../state/studio';
import { useStore } from '../state/store';

const PAGE = 150;

export function Outline() {
  const { library, reading } = useStudio();
  const { story, reachability, selected } = useStore(library.store, (state) => state);
  const current = useStore(reading.store, (state) => state.current);
  const [pages, setPages] = useState(1);
  const [open, setOpen] = useState(false);
  if (!story) return null;
  const { passages } = story.graph;
  const shown = passages.slice(0, pages * PAGE);
  return (
    <section className="card" aria-labelledby="outline-title">
      <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          <h2 id="outline-title">Outline</h2>
        </summary>
        {open ? (
          <ol className="outline" aria-label="All passages">
            {shown.map((passage) => {
              const notes = remarks(story.graph, reachability, passage.id);
              return (
                <li key={passage.id} data-kind={passage.kind}>
                  <button type="button" aria-current={passage.id === current ? 'location' : undefined} data-selected={passage.id === selected} onClick={() => library.select(passage.id)}>
                    <span>{titleOf(passage)}</span>
                    <small>
                      {passage.words} words{notes.length > 0 ? `; ${notes.join('; ')}` : ''}
                    </small>
                  </button>
                </li>
              );
            })}
          </ol>
        ) : null}
        {open && shown.length < passages.length ? (
          <button type="button" className="quiet small" onClick={() => setPages(pages + 1)}>
            Show {Math.min(PAGE, passages.length - shown.length)} more of {passages.length.toLocaleString()}
          </button>
        ) : null}
      </details>
    </section>
  );
}
