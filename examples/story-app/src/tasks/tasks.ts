/** Everything the app does in workers. The page imports this module for its types only. */

import { compute } from 'quillwork/compute';
import { expose, type TaskContext } from 'quillwork/worker';
import { loops } from '../analysis/components';
import { digraph } from '../analysis/adjacency';
import { wayLengths } from '../analysis/lengths';
import { reachability } from '../analysis/structure';
import { addRun, emptyTally, type Tally } from '../analysis/tally';
import { layoutPassages, type LayoutInput } from '../layout/layered';
import { turnsAtRandom } from '../reading/random-reader';
import { takeTurn, type TurnInput } from '../reading/turn';
import { passageVectors, type Vectors } from '../similarity/vectors';
import type { StoryGraph } from '../story/graph';
import { openStory, type OpenInput, type OpeningProgress } from '../story/open';
import { breath } from './breath';
import { measureDevice, type DeviceInput } from './device';
import { withStory, type Playable } from './playable';
import { similarityOfAll } from './similarity';

export interface ReadersInput {
  story: Playable;
  seed: number;
  /** Number of the first reader; readers are numbered across all chunks. */
  first: number;
  count: number;
  maxTurns: number;
}

export const tasks = {
  open: (input: OpenInput, context: TaskContext<OpeningProgress>) => openStory(input, (progress) => context.progress(progress)),

  layout: (input: LayoutInput) => layoutPassages(input),

  reachability: (graph: StoryGraph) => reachability(graph),

  loops: (graph: StoryGraph) => loops(digraph(graph.passages.length, graph.edges)),

  lengths: (graph: StoryGraph) => wayLengths(graph),

  /** Simulates readers `first` to `first + count`; reports how many are done. */
  async readers(input: ReadersInput, context: TaskContext<number>): Promise<Tally> {
    const tally = emptyTally(input.story.passages.length);
    const pause = breath(context.signal);
    for (let reader = input.first; reader < input.first + input.count; reader += 1) {
      const run = await withStory(input.story, async (story) => {
        const turns = turnsAtRandom(story, input.seed, reader, input.maxTurns);
        for (;;) {
          const { done, value } = turns.next();
          if (done) return value;
          if (await pause.take()) context.progress(tally.readers);
        }
      });
      addRun(tally, run);
    }
    return tally;
  },

  turn: ({ story, ...input }: { story: Playable } & TurnInput) => withStory(story, (traced) => takeTurn(traced, input)),

  vectors(texts: string[], context: TaskContext): Vectors {
    const vectors = passageVectors(texts);
    return context.transfer(vectors, [vectors.data.buffer]);
  },

  async similarity(vectors: Vectors, context: TaskContext<number>) {
    const result = await similarityOfAll(await compute(), vectors, (done) => context.progress(done), context.signal);
    return context.transfer(result, result.matrix ? [result.matrix.buffer] : []);
  },

  async device(input: DeviceInput, context: TaskContext<{ size: number; device: 'gpu' | 'cpu' }>) {
    return measureDevice(await compute(), input, (size, device) => context.progress({ size, device }), context.signal);
  },

  /** Destroys the GPU device as a driver crash would. */
  async loseDevice(_input: null, _context: TaskContext) {
    const device = await compute();
    device.loseDevice();
    return device.info();
  },

  /** Asks for a GPU anew, after one was lost. */
  async reacquireDevice(_input: null, _context: TaskContext) {
    return (await compute()).reacquire();
  },
};

export type Tasks = typeof tasks;

expose(tasks);
