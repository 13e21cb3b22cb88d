/** The map of the story: a canvas that keyboard and screen reader can use too. */

import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import { flushSync } from 'react-dom';
import { useStudio } from '../state/studio';
import { useStore } from '../state/store';
import { MapController } from './controller';
import { isTyping } from '../ui/typing';
import { describePassage } from './describe';
import { useHeat } from './heat';
import { Legend } from './Legend';
import { neighbour, type Direction } from './navigate';
import { buildScene } from './scene';
import { Search } from './Search';
import { titleOf } from './labels';

const ARROWS: Record<string, Direction> = { ArrowUp: 'up', ArrowDown: 'down', ArrowLeft: 'left', ArrowRight: 'right' };

/** Beside the pointer, and never over the edge of the map. */
function tipPosition({ x, y }: { x: number; y: number }, frame: HTMLElement | null): { transform: string } {
  const left = Math.max(4, Math.min(x + 14, (frame?.clientWidth ?? 0) - TIP_WIDTH - 6));
  const below = y + 18 < (frame?.clientHeight ?? 0) - TIP_HEIGHT;
  return { transform: `translate(${left}px, ${below ? y + 18 : y - TIP_HEIGHT - 8}px)` };
}

const TIP_WIDTH = 270;
const TIP_HEIGHT = 104;

export function StoryMap() {
  const { library, reading, settings } = useStudio();
  const { story, layout, reachability, selected, failures } = useStore(library.store, (state) => state);
  const { current, visited } = useStore(reading.store, (state) => state);
  const theme = useStore(settings.store, (state) => state.theme);
  const heat = useHeat();
  const canvas = useRef<HTMLCanvasElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const search = useRef<HTMLInputElement>(null);
  const controller = useRef<MapController | null>(null);
  const [focused, setFocused] = useState(false);
  const [hover, setHover] = useState<{ passage: number; x: number; y: number } | undefined>();

  const scene = useMemo(() => (story && layout ? buildScene(story.graph, layout, reachability) : undefined), [story, layout, reachability]);
  const walked = useMemo(() => new Set(visited.slice(1).map((to, i) => `${visited[i] ?? -1} ${to}`)), [visited]);
  const seen = useMemo(() => new Set(visited), [visited]);

  useEffect(() => {
    if (!canvas.current) return undefined;
    const made = new MapController(
      canvas.current,
      (passage) => library.select(passage),
      (passage, x, y) => setHover(passage === undefined ? undefined : { passage, x, y }),
    );
    controller.current = made;
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const refresh = (): void => made.refreshPalette();
    dark.addEventListener('change', refresh);
    return () => {
      dark.removeEventListener('change', refresh);
      made.destroy();
      controller.current = null;
    };
  }, [library]);
  useEffect(() => controller.current?.setScene(scene), [scene]);
  useEffect(() => controller.current?.refreshPalette(), [theme]);
  useEffect(() => {
    controller.current?.setView({ selected, current, visited: seen, walked, heat, focused });
  }, [selected, current, seen, walked, heat, focused]);
  useEffect(() => {
    if (current >= 0 && layout) controller.current?.show(current);
  }, [current, layout]);

  useEffect(() => {
    const onSlash = (event: globalThis.KeyboardEvent): void => {
      if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      event.preventDefault();
      // A narrow window may show another part, and what is hidden takes no focus.
      if (!search.current?.checkVisibility()) flushSync(() => settings.show('map'));
      search.current?.focus();
      search.current?.select();
    };
    document.addEventListener('keydown', onSlash);
    return () => document.removeEventListener('keydown', onSlash);
  }, [settings]);

  const select = (passage: number): void => {
    library.select(passage);
    controller.current?.show(passage);
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || !story || !layout) return;
    const direction = ARROWS[event.key];
    if (direction) select(neighbour(layout, story.graph.edges, selected < 0 ? story.graph.start : selected, direction));
    else if (event.key === '+' || event.key === '=') controller.current?.zoom(1.35);
    else if (event.key === '-') controller.current?.zoom(1 / 1.35);
    else if (event.key === '0') controller.current?.fit();
    else if (event.key === '.') select(current >= 0 ? current : story.graph.start);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const passage = story?.graph.passages[selected];
  const hovered = hover ? story?.graph.passages[hover.passage] : undefined;
  return (
    <section className="map" aria-label="Story map" data-testid="map" data-nodes={story ? story.graph.passages.length : 0} data-edges={story ? story.graph.edges.length : 0} data-current={story?.graph.passages[current]?.path ?? ''} data-selected={passage?.path ?? ''} data-ready={scene ? 'true' : 'false'}>
      <div className="map-bar">
        <Search key={story?.hash} ref={search} onPick={select} onLeave={() => frame.current?.focus()} />
        <div className="map-tools" role="group" aria-label="Zoom">
          <button type="button" className="tool" aria-label="Zoom out" title="Zoom out (−)" onClick={() => controller.current?.zoom(1 / 1.35)}>
            −
          </button>
          <button type="button" className="tool" aria-label="Zoom in" title="Zoom in (+)" onClick={() => controller.current?.zoom(1.35)}>
            +
          </button>
          <button type="button" className="tool tool-wide" title="Show the whole map (0)" onClick={() => controller.current?.fit()}>
            Fit
          </button>
          <button type="button" className="tool tool-wide" title="Go to where the reading is (.)" disabled={current < 0} onClick={() => select(current)}>
            Here
          </button>
        </div>
      </div>
      <div
        ref={frame}
        className="map-frame"
        tabIndex={0}
        role="application"
        aria-roledescription="story map"
        aria-label="Story map. Arrow keys move between passages, plus and minus zoom, 0 shows everything, slash searches."
        aria-describedby="map-selected"
        onKeyDown={onKeyDown}
        onFocus={() => setFocused(true)}
        onBlur={() => setFocused(false)}
      >
        <canvas ref={canvas} aria-hidden="true" />
        {story && !layout ? <p className="map-wait">{failures.layout ?? 'Laying out the map…'}</p> : null}
        {hovered && hover ? (
          <div className="map-tip" aria-hidden="true" style={tipPosition(hover, frame.current)}>
            <strong>{titleOf(hovered)}</strong>
            <span>{hovered.preview || 'No text of its own.'}</span>
          </div>
        ) : null}
      </div>
      <p id="map-selected" className="visually-hidden" aria-live="polite">
        {story && passage ? describePassage(story.graph, reachability, passage.id) : ''}
      </p>
      <Legend />
    </section>
  );
}
