/** The reading: transcript, choices, and ways back. */

import { useEffect, useRef, type ReactNode } from 'react';
import { titleOf } from '../map/labels';
import type { Entry } from '../state/reading';
import { useStudio } from '../state/studio';
import { useStore } from '../state/store';
import { isTyping } from '../ui/typing';
import { marked } from './marked';

/** Older lines are folded away: a transcript of an evening would slow the page. */
const KEPT = 240;

export function Player() {
  const { library, reading, settings } = useStudio();
  const view = useStore(settings.store, (state) => state.view);
  const story = useStore(library.store, (state) => state.story);
  const { status, entries, latest, choices, current, visited, end, undoable } = useStore(reading.store, (state) => state);
  const transcript = useRef<HTMLDivElement>(null);
  const trail = useRef<HTMLElement>(null);
  const newest = useRef<HTMLDivElement>(null);
  const first = Math.max(0, entries.length - KEPT);

  useEffect(() => {
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    const box = transcript.current;
    if (box && newest.current) box.scrollTo({ top: latest === 0 ? 0 : newest.current.offsetTop - 12, behavior: still ? 'auto' : 'smooth' });
  }, [entries, latest, view]);

  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      // A key that is held down would run through the story.
      if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (/^[1-9]$/.test(event.key)) void reading.choose(Number(event.key) - 1);
      else if (event.key === 'Backspace') reading.undo();
      else return;
      event.preventDefault();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [reading]);

  useEffect(() => {
    if (trail.current) trail.current.scrollLeft = trail.current.scrollWidth;
  }, [visited]);

  if (!story) return null;
  const here = story.graph.passages[current];
  return (
    <section className="player" aria-label="Reading" data-testid="player" data-status={status} data-turns={undoable}>
      <div className="player-bar">
        <p className="player-here">
          {here ? (
            <button type="button" className="link-button" title="Select this passage on the map" onClick={() => library.select(current)}>
              {titleOf(here)}
            </button>
          ) : (
            'Before the first passage'
          )}
          <small>{countOf(new Set(visited).size, 'passage')} seen</small>
        </p>
        <div className="row">
          <button type="button" className="quiet small" data-testid="undo" disabled={undoable === 0} title="Take the last choice back (Backspace)" onClick={() => reading.undo()}>
            Undo
          </button>
          <button type="button" className="quiet small" data-testid="restart" disabled={status === 'turning'} onClick={() => void reading.restart()}>
            Restart
          </button>
        </div>
      </div>
      <div className="transcript" data-testid="transcript" ref={transcript} tabIndex={0} aria-label="Transcript">
        <div className="page" role="log" aria-live="polite">
          {first > 0 ? <p className="folded">{countOf(first, 'earlier line')} folded away</p> : null}
          {entries.slice(first, Math.max(first, latest)).map((entry, i) => (
            <Line key={first + i} entry={entry} />
          ))}
          <div ref={newest} className="newest">
            {entries.slice(Math.max(first, latest)).map((entry, i) => (
              <Line key={Math.max(first, latest) + i} entry={entry} arriving />
            ))}
          </div>
        </div>
        <div className="choices">
          {status === 'turning' ? (
            <p className="turning" role="status">
              Turning the page…
            </p>
          ) : null}
          {choices.length > 0 ? (
            <ol aria-label="Choices">
              {choices.map((choice, index) => (
                <li key={`${index}:${choice.text}`}>
                  <button type="button" className="choice" data-testid="choice" onClick={() => void reading.choose(index)}>
                    {index < 9 ? <kbd aria-hidden="true">{index + 1}</kbd> : null}
                    <span>{marked(choice.text)}</span>
                  </button>
                </li>
              ))}
            </ol>
          ) : null}
          {end ? (
            <div className="end" data-kind={end.kind} role="status" data-testid="reading-end">
              <p>{end.message}</p>
              <div className="row">
                {undoable > 0 ? (
                  <button type="button" className="quiet small" onClick={() => reading.undo()}>
                    Take the last choice back
                  </button>
                ) : null}
                <button type="button" className="quiet small" onClick={() => void reading.restart()}>
                  Read again
                </button>
              </div>
            </div>
          ) : null}
        </div>
      </div>
      {visited.length > 1 ? (
        <nav ref={trail} className="trail" aria-label="Passages visited" data-testid="trail">
          {visited.slice(-24).map((passage, i) => {
            const name = story.graph.passages[passage];
            return name ? (
              <button key={`${i}:${passage}`} type="button" onClick={() => library.select(passage)}>
                {titleOf(name)}
              </button>
            ) : null;
          })}
        </nav>
      ) : null}
    </section>
  );
}

function Line({ entry, arriving = false }: { entry: Entry; arriving?: boolean }): ReactNode {
  const ref = arriving ? fadeIn : undefined;
  if (entry.kind === 'chosen')
    return (
      <p ref={ref} className="chosen">
        {marked(entry.text)}
      </p>
    );
  if (entry.kind === 'warning')
    return (
      <p ref={ref} className="line-warning">
        The story warns: {entry.text}
      </p>
    );
  return (
    <>
      <p ref={ref}>{marked(entry.text)}</p>
      {entry.tags.length > 0 ? <p ref={ref} className="tags">{entry.tags.map((tag) => `# ${tag}`).join('  ')}</p> : null}
    </>
  );
}

/** Once, when a line is new. An animation of the style sheet would run again whenever the part is shown. */
function fadeIn(line: HTMLElement | null): void {
  if (!matchMedia('(prefers-reduced-motion: reduce)').matches) line?.animate({ opacity: [0, 1] }, { duration: 300, easing: 'ease-out' });
}

function countOf(count: number, noun: string): string {
  return `${count.toLocaleString()} ${noun}${count === 1 ? '' : 's'}`;
}
