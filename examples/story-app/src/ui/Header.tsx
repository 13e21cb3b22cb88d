/** Title of the story, ways to open another, and the theme. */

import { useRef, useState } from 'react';
import { useStudio } from '../state/studio';
import { useStore } from '../state/store';
import type { Theme } from '../state/settings';
import { PasteBox } from './PasteBox';

const THEME_NAMES: Record<Theme, string> = { system: 'System theme', light: 'Light theme', dark: 'Dark theme' };
const THEME_MARKS: Record<Theme, string> = { system: '◐', light: '○', dark: '●' };

export function Header() {
  const studio = useStudio();
  const story = useStore(studio.library.store, (state) => state.story);
  const theme = useStore(studio.settings.store, (state) => state.theme);
  const file = useRef<HTMLInputElement>(null);
  const dialog = useRef<HTMLDialogElement>(null);
  const [pasting, setPasting] = useState(false);

  return (
    <header className="header">
      <p className="brand" aria-label="Quillwork">
        <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
          <path className="quill" d="M6 26C9 14 15 7 27 5c-1 10-7 15-15 16l-3 5z" />
          <path className="quill-spine" d="M8 26c3-6 8-11 13-14" />
        </svg>
        <span>Quillwork</span>
      </p>
      <h1 className="title" title={story?.name}>
        {story ? story.title : 'Story studio'}
        {story ? <small>{story.graph.passages.length === 1 ? '1 passage' : `${story.graph.passages.length.toLocaleString()} passages`}</small> : null}
      </h1>
      <div className="header-actions">
        <label className="button">
          <span>
            Open<span className="wide-only"> a story…</span>
          </span>
          <input
            ref={file}
            data-testid="open-file"
            className="visually-hidden"
            type="file"
            accept=".ink,.json,.txt,application/json,text/plain"
            onChange={(event) => {
              const chosen = event.target.files?.[0];
              if (chosen) void studio.openFile(chosen);
              // The same file can be opened again after it was corrected.
              event.target.value = '';
            }}
          />
        </label>
        {story ? (
          <>
            <button
              type="button"
              className="quiet"
              data-testid="open-paste"
              onClick={() => {
                setPasting(true);
                dialog.current?.showModal();
              }}
            >
              Paste
            </button>
            <button type="button" className="quiet wide-only" data-testid="open-sample" onClick={() => studio.openSample()}>
              Sample
            </button>
          </>
        ) : null}
        <button type="button" className="quiet icon" data-testid="theme-toggle" data-theme-choice={theme} title={THEME_NAMES[theme]} aria-label={`${THEME_NAMES[theme]}. Change it`} onClick={() => studio.settings.cycleTheme()}>
          {THEME_MARKS[theme]}
        </button>
      </div>
      <dialog ref={dialog} className="dialog" aria-label="Paste a story" onClose={() => setPasting(false)}>
        {pasting ? <PasteBox onDone={() => dialog.current?.close()} /> : null}
      </dialog>
    </header>
  );
}
