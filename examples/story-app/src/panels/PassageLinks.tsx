/** A short list of passages, each a button that selects it. */

import { useState } from 'react';
import { titleOf } from '../map/labels';
import { useStudio } from '../state/studio';
import { useStore } from '../state/store';

export function PassageLinks({ passages, label, shown = 6 }: { passages: readonly number[]; label: string; shown?: number }) {
  const { library } = useStudio();
  const story = useStore(library.store, (state) => state.story);
  const [all, setAll] = useState(false);
  if (!story || passages.length === 0) return null;
  const visible = all ? passages.slice(0, 400) : passages.slice(0, shown);
  return (
    <ul className="passage-links" aria-label={label}>
      {visible.map((id) => {
        const passage = story.graph.passages[id];
        return passage ? (
          <li key={id}>
            <button type="button" className="chip" onClick={() => library.select(id)}>
              {titleOf(passage)}
            </button>
          </li>
        ) : null;
      })}
      {passages.length > visible.length && !all ? (
        <li>
          <button type="button" className="link-button" onClick={() => setAll(true)}>
            {(passages.length - visible.length).toLocaleString()} more
          </button>
        </li>
      ) : null}
    </ul>
  );
}
