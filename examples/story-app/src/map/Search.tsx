/** Search for a passage: a combobox with its results below. */

import { useDeferredValue, useId, useMemo, useState, type KeyboardEvent, type Ref } from 'react';
import { useStudio } from '../state/studio';
import { useStore } from '../state/store';
import { findPassages, type Found } from './find';
import { titleOf } from './labels';

export function Search({ ref, onPick, onLeave }: { ref: Ref<HTMLInputElement>; onPick: (passage: number) => void; onLeave: () => void }) {
  const { library } = useStudio();
  const story = useStore(library.store, (state) => state.story);
  const [query, setQuery] = useState('');
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(0);
  const deferred = useDeferredValue(query);
  const id = useId();
  const foundBy = (words: string): Found[] => (story ? findPassages(story.graph.passages, story.texts, words) : []);
  const found = useMemo(() => foundBy(deferred), [story, deferred]);

  const pick = (result: Found | undefined): void => {
    if (!result) return;
    onPick(result.passage);
    setOpen(false);
    onLeave();
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowDown') setActive(Math.min(found.length - 1, active + 1));
    else if (event.key === 'ArrowUp') setActive(Math.max(0, active - 1));
    // Who types fast is ahead of the list.
    else if (event.key === 'Enter') pick((query === deferred ? found : foundBy(query))[active]);
    else if (event.key === 'Escape') {
      setOpen(false);
      onLeave();
    } else return;
    event.preventDefault();
  };

  const shown = open && query.trim() !== '';
  return (
    <div className="search" onBlur={(event) => (event.currentTarget.contains(event.relatedTarget) ? undefined : setOpen(false))}>
      <input
        ref={ref}
        data-testid="search"
        type="search"
        role="combobox"
        aria-label="Find a passage"
        aria-expanded={shown}
        aria-controls={`${id}-list`}
        aria-activedescendant={shown && found[active] ? `${id}-${active}` : undefined}
        placeholder="Find a passage   /"
        autoComplete="off"
        spellCheck={false}
        value={query}
        disabled={!story}
        onChange={(event) => {
          setQuery(event.target.value);
          setActive(0);
          setOpen(true);
        }}
        onFocus={() => setOpen(true)}
        onKeyDown={onKeyDown}
      />
      {shown ? (
        <ul id={`${id}-list`} role="listbox" aria-label="Passages found" className="search-results" data-testid="search-results">
          {found.map((result, index) => {
            const passage = story?.graph.passages[result.passage];
            return passage ? (
              <li
                key={result.passage}
                id={`${id}-${index}`}
                role="option"
                aria-selected={index === active}
                onPointerDown={(event) => {
                  event.preventDefault();
                  pick(result);
                }}
              >
                <span>{titleOf(passage)}</span>
                {result.context ? <small>{result.context}</small> : null}
              </li>
            ) : null;
          })}
          {found.length === 0 ? <li className="search-none">No passage has “{query.trim()}” in its name or text.</li> : null}
        </ul>
      ) : null}
    </div>
  );
}
