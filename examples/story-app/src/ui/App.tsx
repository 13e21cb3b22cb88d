/** The frame: header, three parts side by side or as tabs, status bar. */

import { useEffect, useState, type DragEvent } from 'react';
import { Analysis } from '../panels/Analysis';
import { StoryMap } from '../map/StoryMap';
import { Player } from '../panels/Player';
import type { View } from '../state/settings';
import { useStudio } from '../state/studio';
import { useStore } from '../state/store';
import { Boundary } from './Boundary';
import { Header } from './Header';
import { Rejected } from './Rejected';
import { StatusBar } from './StatusBar';
import { useMedia } from './useMedia';
import { Welcome } from './Welcome';

const VIEWS: ReadonlyArray<readonly [View, string]> = [
  ['map', 'Map'],
  ['play', 'Play'],
  ['analysis', 'Analysis'],
];

export function App() {
  const studio = useStudio();
  const { library, settings } = studio;
  const story = useStore(library.store, (state) => state.story);
  const opening = useStore(library.store, (state) => state.opening);
  const rejected = useStore(library.store, (state) => state.rejected);
  const chosen = useStore(settings.store, (state) => state.view);
  const isNarrow = useMedia('(max-width: 759px)');
  // Where the map has a column of its own, the reading stands beside it.
  const view = chosen === 'map' && !isNarrow ? 'play' : chosen;
  const [dragging, setDragging] = useState(false);

  useEffect(() => {
    document.title = story ? `${story.title} · Quillwork story studio` : 'Quillwork story studio';
  }, [story]);

  const onDrop = (event: DragEvent): void => {
    event.preventDefault();
    setDragging(false);
    const file = event.dataTransfer.files[0];
    const text = event.dataTransfer.getData('text/plain');
    if (file) void studio.openFile(file);
    else if (text !== '') studio.open({ name: 'dropped text', content: text });
  };

  return (
    <div
      className="app"
      data-dragging={dragging}
      onDragOver={(event) => {
        event.preventDefault();
        setDragging(true);
      }}
      onDragLeave={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setDragging(false);
      }}
      onDrop={onDrop}
    >
      <Header />
      {opening ? <Opening /> : null}
      {rejected ? <Rejected rejection={rejected} /> : null}
      {story ? (
        <main className="parts" data-view={view}>
          <div className="views" role="group" aria-label="Parts of the studio">
            {VIEWS.map(([name, label]) => (
              <button key={name} type="button" data-testid={`tab-${name}`} aria-pressed={view === name} aria-controls={`view-${name}`} onClick={() => settings.show(name)}>
                {label}
              </button>
            ))}
          </div>
          <div id="view-map" className="part part-map">
            <Boundary name="The map" subject={story}>
              <StoryMap />
            </Boundary>
          </div>
          <div id="view-play" className="part part-play">
            <Boundary name="The reading" subject={story}>
              <Player />
            </Boundary>
          </div>
          <div id="view-analysis" className="part part-analysis">
            <Boundary name="The analysis" subject={story}>
              <Analysis />
            </Boundary>
          </div>
        </main>
      ) : (
        <Welcome />
      )}
      <StatusBar />
      {dragging ? (
        <div className="drop-veil" aria-hidden="true">
          <p>Drop the story to open it</p>
        </div>
      ) : null}
    </div>
  );
}

function Opening() {
  const { library } = useStudio();
  const opening = useStore(library.store, (state) => state.opening);
  if (!opening) return null;
  const { progress } = opening;
  return (
    <div className="opening" role="status" data-testid="opening">
      <span>
        {progress ? `${progress.name} “${opening.name}”` : `Opening “${opening.name}”`}
        {progress ? <small> · step {progress.step + 1} of {progress.of}</small> : null}
      </span>
      <progress aria-label="Opening" max={progress?.of ?? 3} value={(progress?.step ?? 0) + 0.5} />
      <button type="button" className="quiet" onClick={() => library.cancelOpening()}>
        Cancel
      </button>
    </div>
  );
}
