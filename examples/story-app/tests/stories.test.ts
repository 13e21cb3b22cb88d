import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loops } from '../src/analysis/components';
import { digraph } from '../src/analysis/adjacency';
import { wayLengths } from '../src/analysis/lengths';
import { reachability } from '../src/analysis/structure';
import { addRun, emptyTally } from '../src/analysis/tally';
import { layoutPassages } from '../src/layout/layered';
import { labelWidth } from '../src/map/labels';
import { PassageIndex } from '../src/reading/passage-index';
import { readAtRandom } from '../src/reading/random-reader';
import { TracedStory } from '../src/reading/traced-story';
import { openStory, type OpenedStory } from '../src/story/open';

function open(path: string): OpenedStory {
  const story = openStory({ name: path, content: new Uint8Array(readFileSync(path)) }, () => undefined);
  if (story.kind === 'rejected') throw new Error(story.title);
  return story;
}

/** Reads the story many times and checks that nobody was where the map says nobody can be. */
function readAndCompare(story: OpenedStory, readers: number) {
  const { graph } = story;
  const traced = new TracedStory(story.json, new PassageIndex(graph), graph.externals);
  const tally = emptyTally(graph.passages.length);
  const ways = new Set(graph.edges.map((edge) => edge.to));
  for (let reader = 0; reader < readers; reader += 1) addRun(tally, readAtRandom(traced, 1, reader));
  tally.readersAt.forEach((count, id) => {
    if (count === 0) return;
    expect(graph.reachable[id], `${graph.passages[id]?.path} was read but is called unreachable`).toBe(true);
    expect(id === graph.start || ways.has(id), `${graph.passages[id]?.path} was read but no way leads there`).toBe(true);
  });
  return tally;
}

describe('the story that ships', () => {
  const story = open(new URL('../src/stories/the-tide-clock.ink', import.meta.url).pathname);

  test('compiles without a remark and is of some size', () => {
    expect(story.issues).toEqual([]);
    expect(story.title).toBe('The Tide Clock');
    expect(story.graph.passages.length).toBeGreaterThan(30);
  });

  test('has seven endings, a loop, and no passage that is dead, trapped or out of reach', () => {
    const found = reachability(story.graph);
    expect(found.endings.filter((end) => end.certain)).toHaveLength(7);
    expect([found.unreachable, found.trapped, found.looseEnds.filter((end) => end.certain)]).toEqual([[], [], []]);
    expect(loops(digraph(story.graph.passages.length, story.graph.edges)).length).toBeGreaterThan(0);
  });

  test('lets every reader come to an end', () => {
    const tally = readAndCompare(story, 400);
    expect(tally.outcomes).toEqual({ ended: 400, 'ran-out': 0, 'cut-off': 0, failed: 0 });
    expect(Object.keys(tally.stops).length).toBeGreaterThanOrEqual(5);
  });
});

const folder = process.env.QUILLWORK_STORIES;

test.skipIf(!folder)('stories of the folder that QUILLWORK_STORIES names are opened, laid out, analysed and read; not tried where it is not set', () => {
  const stories = readdirSync(folder ?? '').filter((name) => /\.ink$|\.ink\.json$/.test(name));
  expect(stories.length).toBeGreaterThan(0);
  for (const name of stories) {
    const story = open(join(folder ?? '', name));
    const { graph } = story;
    const found = reachability(graph);
    expect(graph.unresolved).toEqual([]);
    expect(found.reachable.length + found.unreachable.length).toBe(graph.passages.length);
    expect(found.endings.length).toBeGreaterThan(0);
    const lengths = wayLengths(graph);
    expect(lengths.shortest?.words).toBeLessThanOrEqual(lengths.longest?.words ?? -1);
    const layout = layoutPassages({ widths: graph.passages.map(labelWidth), edges: graph.edges, start: graph.start });
    expect(new Set([...layout.x].map((x, id) => `${x},${layout.y[id]}`)).size).toBe(graph.passages.length);
    const tally = readAndCompare(story, 40);
    expect(tally.outcomes.ended).toBeGreaterThan(0);
    const ends = new Set(graph.exits.map((exit) => exit.passage));
    for (const [stop, count] of Object.entries(tally.stops)) {
      const [outcome, at] = stop.split(/:(?=-?\d+$)/);
      if (outcome === 'ended' && count > 0) expect(ends.has(Number(at)), `${graph.passages[Number(at)]?.path} ended the story but is no ending`).toBe(true);
    }
  }
});
